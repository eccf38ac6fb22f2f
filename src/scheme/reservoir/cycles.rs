//! Reservoirs on a ring with additional connections: jumps, a second ring, feedback.

use anyhow::{Result, ensure};

use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use super::topology::{BACKWARD, SELF_LOOP, WEIGHT};
use super::{RADIUS, SQUARE, Topology, at_least_one, placed, radius};
use crate::distribution::Distribution;

const JUMP: Parameter<f64> = Parameter::new("jump", "the weight of each jump").default("1");
const JUMP_SIZE: Parameter<u64> =
    Parameter::new("jump-size", "the length of a jump, in units, 1 or more and below n").default("3");
const CROSSED: Parameter<bool> =
    Parameter::new("crossed", "exchange the weights of the two connections between the last unit and the first")
        .default("false");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "cycle-with-jumps",
        summary: "a ring with two-way jumps between units at regular distances",
        formula: "w = weight as in ring; jump both ways between units 0, s, 2s, ..., s = jump-size, up to the last that is below n, and from there to unit 0 if s divides n; where both meet, the jump replaces the ring's weight",
        source: "Rodan and Tino 2012, Simple deterministically constructed cycle reservoirs with regular jumps",
        ranks: SQUARE,
        parameters: &[&WEIGHT, &JUMP, &JUMP_SIZE, &RADIUS],
        bare: Some(WEIGHT.name),
        aliases: &["cycle-reservoir-with-jumps"],
        requires: Requires::Matrices,
        example: example_on("cycle-with-jumps:weight=0.7,jump=0.3,jump-size=4", "24x24", "torch"),
        distribution: jumps,
        ..EMPTY
    },
    Scheme {
        name: "double-cycle",
        summary: "two rings in opposite directions",
        formula: "w = weight from unit j to unit j + 1 (mod n), backward from unit j to unit j - 1 (mod n), which replaces the other if they coincide; with crossed, the two connections between the last unit and the first exchange weights",
        source: "Fu et al. 2023, A double-cycle echo state network topology (crossed); ReservoirComputing.jl true_doublecycle",
        ranks: SQUARE,
        parameters: &[&WEIGHT, &BACKWARD.default("1"), &CROSSED, &RADIUS],
        bare: Some(WEIGHT.name),
        requires: Requires::Matrices,
        example: example_on("double-cycle:weight=0.5,backward=0.3", "24x24", "torch"),
        distribution: |arguments, site| {
            let (weight, backward) = (arguments.value(&WEIGHT)?, arguments.value(&BACKWARD)?);
            let topology = DoubleCycle { weight, backward, crossed: arguments.flag(&CROSSED) };
            placed(topology, radius(arguments)?, site.square()?)
        },
        ..EMPTY
    },
    Scheme {
        name: "self-loop-feedback-cycle",
        summary: "a ring in which every other unit connects to itself, and the others connect backward",
        formula: "w = weight as in ring; self-loop from units 0, 2, 4, ... to themselves, backward from units 1, 3, 5, ... to the one before",
        source: "Elsarraj et al. 2019, Demystifying echo state network with deterministic simple topologies (TP2)",
        ranks: SQUARE,
        parameters: &[&WEIGHT, &SELF_LOOP.default("1"), &BACKWARD.default("1"), &RADIUS],
        bare: Some(WEIGHT.name),
        requires: Requires::Matrices,
        example: example_on("self-loop-feedback-cycle:weight=0.5,self-loop=0.3,backward=0.2", "24x24", "torch"),
        distribution: |arguments, site| {
            let topology = FeedbackCycle {
                weight: arguments.value(&WEIGHT)?,
                self_loop: arguments.value(&SELF_LOOP)?,
                backward: arguments.value(&BACKWARD)?,
            };
            placed(topology, radius(arguments)?, site.square()?)
        },
        ..EMPTY
    },
];

#[derive(Debug)]
pub(super) struct Jumps {
    pub(super) weight: f64,
    pub(super) jump: f64,
    pub(super) size: u64,
}

fn jumps(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (unfolding, size) = (site.square()?, at_least_one(arguments, &JUMP_SIZE)?);
    let n = unfolding.columns();
    ensure!(n == 0 || size < n, "jump-size is {size}: it must be below the number of units, {n}");
    let topology = Jumps { weight: arguments.value(&WEIGHT)?, jump: arguments.value(&JUMP)?, size };
    placed(topology, radius(arguments)?, unfolding)
}

impl Topology for Jumps {
    fn weight(&self, to: u64, from: u64, n: u64) -> f64 {
        let (low, high) = (to.min(from), to.max(from));
        let closes = n.is_multiple_of(self.size) && low == 0 && high == n - self.size;
        if low.is_multiple_of(self.size) && (high - low == self.size || closes) {
            self.jump
        } else if to == (from + 1) % n {
            self.weight
        } else {
            0.0
        }
    }

    fn max_abs(&self) -> f64 {
        self.weight.abs().max(self.jump.abs())
    }

    /// Jumps go both ways; jumps of weight 0 still replace the connections that they skip.
    fn has_cycle(&self, n: u64) -> bool {
        self.jump != 0.0 || (self.weight != 0.0 && self.size != 1 && self.size != n - 1)
    }
}

#[derive(Debug)]
pub(super) struct DoubleCycle {
    pub(super) weight: f64,
    pub(super) backward: f64,
    pub(super) crossed: bool,
}

impl Topology for DoubleCycle {
    fn weight(&self, to: u64, from: u64, n: u64) -> f64 {
        let closes = n > 2 && to.abs_diff(from) == n - 1;
        let (weight, backward) =
            if self.crossed && closes { (self.backward, self.weight) } else { (self.weight, self.backward) };
        if from == (to + 1) % n {
            backward
        } else if to == (from + 1) % n {
            weight
        } else {
            0.0
        }
    }

    fn max_abs(&self) -> f64 {
        self.weight.abs().max(self.backward.abs())
    }

    fn has_cycle(&self, n: u64) -> bool {
        let (forward, back) = (self.weight != 0.0, self.backward != 0.0);
        match n {
            // Connections back go over those ahead.
            0..=2 => back,
            _ if self.crossed => forward && back,
            _ => forward || back,
        }
    }
}

#[derive(Debug)]
pub(super) struct FeedbackCycle {
    pub(super) weight: f64,
    pub(super) self_loop: f64,
    pub(super) backward: f64,
}

impl Topology for FeedbackCycle {
    fn weight(&self, to: u64, from: u64, n: u64) -> f64 {
        if to == from && from.is_multiple_of(2) {
            self.self_loop
        } else if from % 2 == 1 && to + 1 == from {
            self.backward
        } else if to == (from + 1) % n {
            self.weight
        } else {
            0.0
        }
    }

    fn max_abs(&self) -> f64 {
        self.weight.abs().max(self.self_loop.abs()).max(self.backward.abs())
    }

    fn has_cycle(&self, n: u64) -> bool {
        let ring = self.weight != 0.0 && (n > 2 || self.backward != 0.0);
        self.self_loop != 0.0 || (ring && n > 1)
    }
}
