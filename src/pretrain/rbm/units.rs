//! The units of one side, given the other: probabilities, and states drawn by them.

use rayon::prelude::*;

use crate::matrix::{Bits, Factor, PANEL, Panels, draw};
use crate::pretrain::activation::Activation;
use crate::pretrain::blocks::WORK_OF_A_THREAD;
use crate::pretrain::noise::Noise;

/// The minimum number of rows of weights for a parallel task.
const ROWS_OF_A_TASK: usize = 128;

/// The units of one side.
pub(super) struct Units<'a> {
    /// Units of the other side x these.
    pub(super) weight: &'a Panels,
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
}

/// The address of the random numbers of a draw.
#[derive(Clone, Copy)]
pub(super) struct Draw<'a> {
    pub(super) noise: &'a Noise,
    /// The number of the draw.
    pub(super) number: u64,
    /// The maximum number of samples of a draw.
    pub(super) batch: usize,
}

impl Units<'_> {
    /// The probabilities of binary units, or the means of others, times a factor.
    pub(super) fn respond(&self, to: &Factor, share: f32, chances: &mut Panels) {
        chances.reshape(to.rows(), self.bias.len());
        let panels = chances.par_panels_mut().with_min_len(self.together(to)).enumerate();
        panels.for_each(|(number, panel)| {
            panel.fill(0.0);
            self.fill(number, to, panel);
            multiply(panel, share);
        });
    }

    /// The same, and states of 0 and 1 drawn by the probabilities.
    pub(super) fn respond_and_draw(&self, to: &Factor, draw: Draw, share: f32, chances: &mut Panels) -> Bits {
        chances.reshape(to.rows(), self.bias.len());
        let mut states = Bits::zeros(to.rows(), self.bias.len());
        let panels = chances.par_panels_mut().zip(states.par_panels_mut());
        panels.with_min_len(self.together(to)).enumerate().for_each(|(number, (chances, states))| {
            chances.fill(0.0);
            self.fill(number, to, chances);
            draw.states(number, self.bias.len(), chances, states);
            multiply(chances, share);
        });
        states
    }

    /// Random states: 0 and 1, or normal around the mean with standard deviation 1.
    pub(super) fn draw(&self, to: &Factor, draw: Draw) -> Factor {
        if self.activation == Activation::Linear {
            let mut values = Panels::default();
            self.respond(to, 1.0, &mut values);
            let panels = values.par_panels_mut().enumerate();
            panels.for_each(|(number, panel)| {
                let mut noise = vec![0.0; panel.len()];
                draw.noise.fill(draw.address(number, self.bias.len()), &mut noise);
                panel.iter_mut().zip(noise).for_each(|(value, noise)| *value += noise);
            });
            return Factor::Values(values);
        }
        let mut states = Bits::zeros(to.rows(), self.bias.len());
        let panels = states.par_panels_mut().with_min_len(self.together(to)).enumerate();
        panels.for_each(|(number, states)| {
            let mut chances = vec![0.0; self.weight.panel(number).len() / self.weight.rows() * states.len()];
            self.fill(number, to, &mut chances);
            draw.states(number, self.bias.len(), &chances, states);
        });
        Factor::Bits(states)
    }

    /// Computes probabilities or means in a panel of zeros.
    fn fill(&self, number: usize, to: &Factor, panel: &mut [f32]) {
        to.add_times(0..to.rows(), self.weight.panel(number), panel);
        let bias = &self.bias[number * PANEL..];
        self.activation.apply_with(&bias[..bias.len().min(PANEL)], panel, panel.len() / to.rows().max(1));
    }

    /// The number of panels for one thread.
    fn together(&self, to: &Factor) -> usize {
        let work = to.rows() * self.weight.values().len();
        if work < WORK_OF_A_THREAD { self.bias.len() } else { 1 }
    }
}

impl Draw<'_> {
    /// The first random number of a panel. A smaller batch skips numbers; none is used twice.
    fn address(&self, panel: usize, units: usize) -> u64 {
        /// Numbers that are drawn together.
        const TILE: usize = 512;
        let place = self.number * units.div_ceil(PANEL) as u64 + panel as u64;
        place * (self.batch * PANEL).next_multiple_of(TILE) as u64
    }

    /// Draws a panel of states.
    fn states(&self, panel: usize, units: usize, chances: &[f32], states: &mut [u64]) {
        /// Numbers of rows that fill whole tiles, for any width of the panel.
        const ROWS: usize = 32;
        let width = (chances.len() / states.len().max(1)).max(1);
        let (first, held) = (self.address(panel, units), PANEL.min(units - panel * PANEL));
        let mut numbers = [0.0; ROWS * PANEL];
        let parts = chances.chunks(ROWS * width).zip(states.chunks_mut(ROWS));
        for (start, (chances, states)) in (first..).step_by(ROWS * width).zip(parts) {
            let numbers = &mut numbers[..chances.len()];
            self.noise.fill(start, numbers);
            draw(chances, numbers, held, states);
        }
    }
}

fn multiply(values: &mut [f32], factor: f32) {
    for value in values {
        *value *= factor;
    }
}

/// Adds the product of each pair of factors.
pub(super) fn add_products(factors: [(&Factor, &Panels); 2], out: &mut Panels) {
    let rows = out.rows().max(1);
    let work = factors.iter().map(|(left, _)| left.columns()).sum::<usize>() * out.values().len();
    let add = |number: usize, first: usize, out: &mut [f32], width: usize| {
        let of_task = first..first + out.len() / width;
        for (left, right) in factors {
            left.add_times(of_task.clone(), right.panel(number), out);
        }
    };
    if work < WORK_OF_A_THREAD {
        return out.panels_mut().enumerate().for_each(|(number, out)| add(number, 0, out, out.len() / rows));
    }
    out.par_panels_mut().enumerate().for_each(|(number, out)| {
        let width = out.len() / rows;
        let tasks = out.par_chunks_mut(ROWS_OF_A_TASK * width).enumerate();
        tasks.for_each(|(task, out)| add(number, task * ROWS_OF_A_TASK, out, width));
    });
}
