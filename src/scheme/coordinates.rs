//! Networks that take coordinates.

use anyhow::Result;

use super::plain::between;
use super::{Arguments, Kind, Parameter, Reads, Scheme, Site, example, spelling};
use crate::law::Law;
use crate::tensor::as_float;

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "siren",
        summary: "uniform, for layers whose activation is sin(omega x)",
        formula: "w ~ U(-bound, bound), bound = 1 / fan_in in the first layer, else sqrt(6 / fan_in) / omega",
        source: "Sitzmann, Martel, Bergman, Lindell and Wetzstein 2020, Implicit neural representations with periodic activation functions",
        ranks: "two or more axes; any with --fan-in",
        parameters: &[
            Parameter {
                name: "omega",
                kind: Kind::Number,
                default: Some("30"),
                help: "the frequency of the sine, above 0",
            },
            Parameter {
                name: "first",
                kind: Kind::Flag,
                default: Some("false"),
                help: "true for the first layer, whose inputs are the coordinates",
            },
        ],
        bare: Some("omega"),
        aliases: &[],
        spellings: &[
            spelling("siren", "sine_init", "siren"),
            spelling("siren", "first_layer_sine_init", "siren:first=true"),
        ],
        reads: Reads::Fans,
        example: example("siren"),
        law: siren,
    },
    Scheme {
        name: "fourier-features",
        summary: "the fixed matrix of random frequencies in front of a coordinate network",
        formula: "b ~ N(0, sigma^2), for features sin(2 pi B x), cos(2 pi B x)",
        source: "Tancik et al. 2020, Fourier features let networks learn high frequency functions in low dimensional domains",
        ranks: "any",
        parameters: &[Parameter {
            name: "sigma",
            kind: Kind::Number,
            default: Some("10"),
            help: "the standard deviation of the frequencies, 0 or more; the paper uses 10 for images",
        }],
        bare: Some("sigma"),
        aliases: &["gaussian-fourier-features"],
        spellings: &[],
        reads: Reads::Shape,
        example: example("fourier-features"),
        law: |arguments, _| Ok(Law::Normal { mean: 0.0, std: arguments.nonnegative("sigma")? }),
    },
];

fn siren(arguments: &mut Arguments, site: &Site) -> Result<Law> {
    let (omega, fan_in) = (arguments.positive("omega")?, as_float(site.fan_in()?.max(1)));
    let bound = if arguments.flag("first") { 1.0 / fan_in } else { (6.0 / fan_in).sqrt() / omega };
    between(-bound, bound)
}
