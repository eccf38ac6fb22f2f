//! Layer-sequential unit variance (Mishkin and Matas 2016, "All you need is a good init"): any scheme, then each layer in turn is
//! divided by the standard deviation of its outputs. The paper measures it over a batch; here it is over all samples.

use anyhow::{Result, ensure};

use super::input::Input;
use super::layer::Layer;
use super::options::{ACTIVATION, EPOCHS, TOLERANCE};
use super::precision::widened;
use super::summary::FeatureMoments;
use super::{Method, Trainer};
use crate::matrix::Matrix;
use crate::tensor::to_f32;

pub(super) const METHOD: Method = Method {
    name: "lsuv",
    summary: "any scheme, rescaled layer by layer to unit variance on the data",
    source: "Mishkin and Matas 2016, All you need is a good init",
    parameters: &[&ACTIVATION, &EPOCHS.default("10"), &TOLERANCE.default("0.001")],
    scheme: |_| Some("orthogonal"),
    workspace: |_| 0,
    centres: false,
    has_visible_bias: false,
    activation: |arguments| arguments.value(&ACTIVATION),
    unit_interval: |_| None,
    check: |_| Ok(()),
    start: |job, _| Ok(Box::new(Lsuv { weight: job.initial.clone(), tolerance: job.arguments.value(&TOLERANCE)? })),
};

struct Lsuv {
    weight: Matrix<f32>,
    tolerance: f64,
}

impl Trainer for Lsuv {
    fn epoch(&mut self, _: u64, input: &Input) -> Result<bool> {
        let variance = input.moments(&self.weight)?.variance();
        if (variance - 1.0).abs() < self.tolerance {
            return Ok(true);
        }
        let std = variance.sqrt();
        ensure!(std.is_finite(), "layer {}: its variance overflows: use --scale standard", input.below.len());
        ensure!(
            std.is_normal(),
            "layer {}: its outputs are constant: use another scheme or activation, or --scale standard",
            input.below.len()
        );
        self.weight.values_mut().iter_mut().for_each(|weight| *weight = to_f32(f64::from(*weight) / std));
        Ok(false)
    }

    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>> {
        let mut moments = FeatureMoments::new(self.weight.columns());
        moments.add_rows(&input.fill_f64(samples)?.times(&widened(&self.weight)));
        Ok(vec![("variance", moments.variance())])
    }

    fn state(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("weight", self.weight.values_mut())]
    }

    fn layer(&self) -> Layer {
        Layer { bias: vec![0.0; self.weight.columns()], weight: self.weight.clone(), visible_bias: None }
    }
}
