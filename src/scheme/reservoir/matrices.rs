//! Structured random matrices: Dale's principle, permutations, symmetric matrices.

use anyhow::Result;

use super::super::common::{self, WEIGHT};
use super::super::sparse::rounded;
use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use super::random::{self, DEGREE, DENSITY_OF_A_TENTH, DIRECTION, EXACT, Places, Random, Values};
use super::{RADIUS, SQUARE, Structure, drawn, radius, scaled};
use crate::distribution::{Distribution, NORMAL_REACH};
use crate::statistics::marginal::Marginal;
use crate::statistics::normal;
use crate::tensor::{to_f64, to_usize};

const STD: Parameter<f64> =
    common::STD.default("1").help("the standard deviation of the Gaussian entries before scaling, above 0");

const EXCITATORY: Parameter<f64> = Parameter::new(
    "excitatory",
    "the fraction of excitatory units; unless it is 0 or 1, at least one unit excites and one inhibits",
)
.default("0.8");
const RATIO: Parameter<f64> =
    Parameter::new("ratio", "the strength of inhibition relative to excitation, above 0").default("1");
const STD_DIAGONAL: Parameter<f64> =
    Parameter::new("std-diagonal", "the standard deviation on the diagonal, times sqrt(n); 0 or more").default("0.5");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "dale",
        summary: "a sparse reservoir by Dale's principle: all outgoing weights of a unit have one sign",
        formula: "|v|, v ~ N(0, std^2), from the first round(excitatory n) units, and -ratio |v| from the others, at positions given by density, or degree and direction; 0 elsewhere",
        source: "ReservoirComputing.jl dale_sparse; Dale 1935, Pharmacology and nerve-endings",
        ranks: SQUARE,
        parameters: &[&EXCITATORY, &DENSITY_OF_A_TENTH, &DEGREE, &DIRECTION, &EXACT, &STD, &RATIO, &RADIUS],
        bare: Some(EXCITATORY.name),
        requires: Requires::Matrices,
        example: example_on("dale:density=0.3,radius=1", "24x24", "torch"),
        distribution: dale,
        ..EMPTY
    },
    Scheme {
        name: "permutation",
        summary: "each unit connects to one unit, and no two to the same",
        formula: "W = weight P, P a permutation matrix, all equally likely; every eigenvalue has magnitude |weight|",
        source: "Boedecker, Obst, Mayer and Asada 2009, Initialization and self-organized optimization of recurrent neural network connectivity",
        ranks: SQUARE,
        parameters: &[&WEIGHT.default("1").help("the weight of each connection")],
        bare: Some(WEIGHT.name),
        requires: Requires::Matrices,
        example: example_on("permutation:weight=0.9", "24x24", "torch"),
        distribution: |arguments, site| Ok(drawn(Permutation { weight: arguments.value(&WEIGHT)? }, site.square()?)),
        ..EMPTY
    },
    Scheme {
        name: "wigner",
        summary: "a symmetric matrix of Gaussian entries, whose eigenvalues follow the semicircle distribution",
        formula: "w_ij = w_ji ~ N(0, std^2 / n), w_ii ~ N(0, std-diagonal^2 / n); the spectral radius nears 2 std as n grows",
        source: "Wigner 1955, Characteristic vectors of bordered matrices with infinite dimensions; ReservoirComputing.jl wigner_init",
        ranks: SQUARE,
        parameters: &[&STD.help("the standard deviation off the diagonal, times sqrt(n); above 0"), &STD_DIAGONAL],
        bare: Some(STD.name),
        requires: Requires::Matrices,
        example: example_on("wigner", "24x24", "torch"),
        distribution: wigner,
        ..EMPTY
    },
];

#[derive(Debug)]
struct Dale {
    exciting: u64,
    places: Places,
    std: f64,
    ratio: f64,
}

fn dale(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let unfolding = site.square()?;
    let n = unfolding.columns();
    let excitatory = arguments.fraction(&EXCITATORY)?;
    let exciting = rounded(excitatory * to_f64(n), f64::round);
    let both = excitatory > 0.0 && excitatory < 1.0 && n >= 2;
    let structure = Dale {
        exciting: if both { exciting.clamp(1, n - 1) } else { exciting.min(n) },
        places: Places::of(arguments, n, n, 0.1)?,
        std: arguments.positive(&STD)?,
        ratio: arguments.positive(&RATIO)?,
    };
    scaled(structure, radius(arguments)?, unfolding)
}

impl Structure for Dale {
    fn fill(&self, random: &mut Random, sizes: [usize; 2], matrix: &mut [f64]) {
        Values::Normal.fill(random, matrix);
        self.places.clear(random, sizes, matrix);
        for (element, value) in matrix.iter_mut().enumerate() {
            let excites = element % sizes[1] < to_usize(self.exciting);
            // What is 0 stays 0, and not -0.
            if *value != 0.0 {
                *value = self.std * value.abs() * if excites { 1.0 } else { -self.ratio };
            }
        }
    }

    fn marginal(&self, _: u64, _: u64) -> Option<Marginal> {
        Some(Marginal::zeros(1.0 - self.places.fraction()))
    }

    fn max_abs(&self) -> f64 {
        NORMAL_REACH * self.std * self.ratio.max(1.0)
    }

    fn cycle(&self, n: u64) -> f64 {
        self.places.cycle(n)
    }
}

#[derive(Debug)]
struct Permutation {
    weight: f64,
}

impl Structure for Permutation {
    fn fill(&self, random: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        let mut words = random.words();
        let mut led_to: Vec<usize> = (0..n).collect();
        for from in 0..n {
            let other = from + to_usize(random::below(words.as_mut(), (n - from) as u64));
            led_to.swap(from, other);
            matrix[led_to[from] * n + from] = self.weight;
        }
    }

    fn marginal(&self, _: u64, columns: u64) -> Option<Marginal> {
        Some(Marginal::discrete([(self.weight, 1.0)]).or_zero(1.0 - 1.0 / to_f64(columns.max(1))))
    }

    fn max_abs(&self) -> f64 {
        self.weight.abs()
    }
}

#[derive(Debug)]
struct Wigner {
    off: f64,
    diagonal: f64,
}

fn wigner(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let unfolding = site.square()?;
    let root = to_f64(unfolding.columns().max(1)).sqrt();
    let (off, diagonal) = (arguments.positive(&STD)? / root, arguments.nonnegative(&STD_DIAGONAL)? / root);
    Ok(drawn(Wigner { off, diagonal }, unfolding))
}

impl Structure for Wigner {
    fn fill(&self, random: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        Values::Normal.fill(random, matrix);
        for to in 0..n {
            matrix[to * n + to] *= self.diagonal;
            for from in to + 1..n {
                matrix[to * n + from] *= self.off;
                matrix[from * n + to] = matrix[to * n + from];
            }
        }
    }

    fn marginal(&self, _: u64, columns: u64) -> Option<Marginal> {
        let (off, diagonal, share) = (self.off, self.diagonal, 1.0 / to_f64(columns.max(1)));
        if diagonal == 0.0 {
            return Some(Marginal::normal(0.0, off).or_zero(share));
        }
        let mixed = move |x: f64| (1.0 - share) * normal::lower(x / off) + share * normal::lower(x / diagonal);
        Some(Marginal::continuous(mixed))
    }

    fn max_abs(&self) -> f64 {
        NORMAL_REACH * self.off.max(self.diagonal)
    }

    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }
}
