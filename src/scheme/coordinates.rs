//! First layers of coordinate networks.

use anyhow::Result;

use super::common::SIGMA;
use super::normal_uniform::between;
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example};
use crate::distribution::Distribution;
use crate::tensor::to_f64;

const OMEGA: Parameter<f64> = Parameter::new("omega", "the frequency of the sine, above 0").default("30");
const FIRST: Parameter<bool> =
    Parameter::new("first", "true for the first layer, whose inputs are the coordinates").default("false");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "siren",
        summary: "uniform, for layers whose activation is sin(omega x)",
        formula: "w ~ U(-bound, bound), bound = 1 / fan_in in the first layer, else sqrt(6 / fan_in) / omega",
        source: "Sitzmann, Martel, Bergman, Lindell and Wetzstein 2020, Implicit neural representations with periodic activation functions",
        ranks: "two or more axes; any with --fan-in",
        parameters: &[&OMEGA, &FIRST],
        bare: Some(OMEGA.name),
        requires: Requires::Fans,
        example: example("siren"),
        distribution: siren,
        ..EMPTY
    },
    Scheme {
        name: "fourier-features",
        summary: "the fixed matrix of random frequencies before a coordinate network",
        formula: "b ~ N(0, sigma^2), for features sin(2 pi B x), cos(2 pi B x)",
        source: "Tancik et al. 2020, Fourier features let networks learn high frequency functions in low dimensional domains",
        ranks: "any",
        parameters: &[&SIGMA
            .default("10")
            .help("the standard deviation of the frequencies, 0 or more; the paper uses 10 for images")],
        bare: Some(SIGMA.name),
        aliases: &["gaussian-fourier-features"],
        example: example("fourier-features"),
        distribution: |arguments, _| Ok(Distribution::Normal { mean: 0.0, std: arguments.nonnegative(&SIGMA)? }),
        ..EMPTY
    },
];

fn siren(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (omega, fan_in) = (arguments.positive(&OMEGA)?, to_f64(site.fan_in()?.max(1)));
    let bound = if arguments.flag(&FIRST) { 1.0 / fan_in } else { (6.0 / fan_in).sqrt() / omega };
    between(-bound, bound)
}
