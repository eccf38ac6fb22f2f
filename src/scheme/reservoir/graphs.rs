//! Reservoirs on random graphs: small worlds and clusters.

use anyhow::{Result, ensure};

use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use super::random::{self, DISTRIBUTION, Random, Values};
use super::{RADIUS, SQUARE, Structure, radius, scaled};
use crate::distribution::{Distribution, sampling};
use crate::statistics::marginal::Marginal;
use crate::tensor::{to_f64, to_usize};

const NEIGHBOURS: Parameter<u64> = Parameter::new("neighbours", "k, even and below the number of units").default("2");
const REWIRE: Parameter<f64> = Parameter::new("rewire", "the probability that an edge is rewired").default("0.1");
const CLUSTERS: Parameter<u64> =
    Parameter::new("clusters", "the number of groups, a divisor of the number of units").default("3");
const WITHIN: Parameter<f64> =
    Parameter::new("within", "the probability of a connection inside a group").default("0.1");
const BETWEEN: Parameter<f64> =
    Parameter::new("between", "the probability of a connection between groups").default("0.01");
const EXTRA: Parameter<f64> =
    Parameter::new("extra", "the probability of each connection outside the ring").default("0.1");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "small-world",
        summary: "a ring lattice with some connections rewired",
        formula: "each unit is connected to its k nearest on a ring, with a weight each way; each such edge is then, with probability rewire, moved from its second unit to a random one not connected to the first",
        source: "Watts and Strogatz 1998, Collective dynamics of 'small-world' networks; reservoirpy mat_gen small_world",
        ranks: SQUARE,
        parameters: &[&NEIGHBOURS, &REWIRE, &DISTRIBUTION, &RADIUS],
        bare: Some(NEIGHBOURS.name),
        aliases: &["watts-strogatz"],
        requires: Requires::Matrices,
        example: example_on("small-world:neighbours=4,rewire=0.2", "24x24", "torch"),
        distribution: small_world,
        ..EMPTY
    },
    Scheme {
        name: "cluster",
        summary: "groups of units, densely connected inside and sparsely between groups",
        formula: "w from the distribution with probability within if both units are in one group, and with probability between if not; else 0",
        source: "reservoirpy mat_gen cluster (which meets both densities exactly)",
        ranks: SQUARE,
        parameters: &[&CLUSTERS, &WITHIN, &BETWEEN, &DISTRIBUTION, &RADIUS],
        bare: Some(CLUSTERS.name),
        requires: Requires::Matrices,
        example: example_on("cluster:clusters=3,within=0.5,between=0.1", "24x24", "torch"),
        distribution: cluster,
        ..EMPTY
    },
    Scheme {
        name: "chaotic",
        summary: "a ring with additional random connections, scaled to a spectral radius",
        formula: "w ~ U(-1, 1) from unit j + 1 to unit j (mod n), and with probability extra between any other two units; else 0; then scaled as spectral",
        source: "Xie et al. 2024, on digital chaos; ReservoirComputing.jl chaotic_init, which takes only n = 4^k",
        ranks: SQUARE,
        parameters: &[&EXTRA, &RADIUS.default("1").help("the spectral radius, above 0")],
        bare: Some(EXTRA.name),
        requires: Requires::Matrices,
        example: example_on("chaotic", "16x16", "torch"),
        distribution: |arguments, site| {
            let extra = arguments.fraction(&EXTRA)?;
            scaled(Chaotic { extra }, radius(arguments)?, site.square()?)
        },
        ..EMPTY
    },
];

#[derive(Debug)]
struct SmallWorld {
    half: u64,
    rewire: f64,
    values: Values,
}

fn small_world(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let unfolding = site.square()?;
    let (n, neighbours) = (unfolding.columns(), arguments.optional(&NEIGHBOURS).unwrap_or(2));
    ensure!(neighbours % 2 == 0, "neighbours is {neighbours}: it must be even, half on each side");
    ensure!(
        n == 0 || neighbours < n,
        "neighbours is {neighbours}, but each of {n} units has only {} others",
        n.saturating_sub(1)
    );
    let rewire = arguments.fraction(&REWIRE)?;
    let structure = SmallWorld { half: neighbours / 2, rewire, values: Values::of(arguments)? };
    scaled(structure, radius(arguments)?, unfolding)
}

impl Structure for SmallWorld {
    fn fill(&self, random: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        let (mut words, mut values) = (random.words(), random.words());
        let joints = || (1..=to_usize(self.half)).flat_map(|apart| (0..n).map(move |unit| (unit, (unit + apart) % n)));
        for (unit, other) in joints() {
            matrix[unit * n + other] = self.values.one(values.as_mut());
            matrix[other * n + unit] = self.values.one(values.as_mut());
        }
        for (unit, other) in joints() {
            if sampling::unit(words.as_mut()) >= self.rewire {
                continue;
            }
            let free = |place: &usize| *place != unit && matrix[unit * n + place] == 0.0;
            let chosen = to_usize(random::below(words.as_mut(), (0..n).filter(free).count() as u64));
            // `None` if the unit is connected to all others.
            let Some(place) = (0..n).filter(free).nth(chosen) else { continue };
            for (old, new) in [(unit * n + other, unit * n + place), (other * n + unit, place * n + unit)] {
                matrix[new] = std::mem::take(&mut matrix[old]);
            }
        }
    }

    fn marginal(&self, _: u64, columns: u64) -> Option<Marginal> {
        Some(self.values.marginal(1.0).or_zero(1.0 - 2.0 * to_f64(self.half) / to_f64(columns.max(1))))
    }

    fn max_abs(&self) -> f64 {
        self.values.max_abs()
    }

    fn mean(&self) -> Option<f64> {
        (self.values.mean() == 0.0).then_some(0.0)
    }

    fn cycle(&self, _: u64) -> f64 {
        f64::from(u8::from(self.half > 0))
    }
}

#[derive(Debug)]
struct Cluster {
    size: u64,
    within: f64,
    between: f64,
    values: Values,
}

fn cluster(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let unfolding = site.square()?;
    let (n, clusters) = (unfolding.columns(), arguments.optional(&CLUSTERS).unwrap_or(3));
    ensure!(clusters > 0 && n % clusters == 0, "clusters is {clusters}: it must divide the {n} units");
    let structure = Cluster {
        size: (n / clusters).max(1),
        within: arguments.fraction(&WITHIN)?,
        between: arguments.fraction(&BETWEEN)?,
        values: Values::of(arguments)?,
    };
    scaled(structure, radius(arguments)?, unfolding)
}

impl Structure for Cluster {
    fn fill(&self, random: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        self.values.fill(random, matrix);
        let (mut words, size) = (random.words(), to_usize(self.size));
        for (element, value) in matrix.iter_mut().enumerate() {
            let together = element / n / size == element % n / size;
            if sampling::unit(words.as_mut()) >= if together { self.within } else { self.between } {
                *value = 0.0;
            }
        }
    }

    fn marginal(&self, _: u64, columns: u64) -> Option<Marginal> {
        let together = to_f64(self.size) / to_f64(columns.max(1));
        let density = self.within * together + self.between * (1.0 - together);
        Some(self.values.marginal(1.0).or_zero(1.0 - density))
    }

    fn max_abs(&self) -> f64 {
        self.values.max_abs()
    }

    fn mean(&self) -> Option<f64> {
        (self.values.mean() == 0.0).then_some(0.0)
    }

    /// The probability of a unit with a connection to itself, or of a two-way connection between units of different groups.
    fn cycle(&self, n: u64) -> f64 {
        let (n, size) = (to_f64(n), to_f64(self.size));
        let pairs = n * (n - size) / 2.0;
        1.0 - libm::pow(1.0 - self.within, n) * libm::pow(1.0 - self.between * self.between, pairs)
    }
}

#[derive(Debug)]
struct Chaotic {
    extra: f64,
}

impl Structure for Chaotic {
    fn fill(&self, random: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        Values::Uniform.fill(random, matrix);
        let mut words = random.words();
        for (element, value) in matrix.iter_mut().enumerate() {
            let (to, from) = (element / n, element % n);
            let extra = sampling::unit(words.as_mut()) < self.extra;
            if from != (to + 1) % n && (!extra || to == from) {
                *value = 0.0;
            }
        }
    }

    fn marginal(&self, _: u64, columns: u64) -> Option<Marginal> {
        let n = to_f64(columns.max(1));
        let density = if columns < 2 { 1.0 } else { (n + self.extra * n * (n - 2.0)) / (n * n) };
        Some(Values::Uniform.marginal(1.0).or_zero(1.0 - density))
    }

    fn max_abs(&self) -> f64 {
        1.0
    }

    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }
}
