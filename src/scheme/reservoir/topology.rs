//! Reservoirs with fixed connections: rings, delay lines, blocks.

use anyhow::Result;

use super::super::common;
use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use super::{RADIUS, SQUARE, Topology, at_least_one, placed, radius};
use crate::distribution::Distribution;

const RODAN: &str = "Rodan and Tino 2011, Minimum complexity echo state network";

pub(super) const WEIGHT: Parameter<f64> = common::WEIGHT.default("1").help("the weight of each connection");
pub(super) const SELF_LOOP: Parameter<f64> =
    Parameter::new("self-loop", "the weight of each unit's connection to itself").default("0");
pub(super) const BACKWARD: Parameter<f64> =
    Parameter::new("backward", "the weight of the backward connections").default("0");

const SHIFT: Parameter<u64> =
    Parameter::new("shift", "the distance of forward connections, in units, 1 or more").default("1");
const BACKWARD_SHIFT: Parameter<u64> =
    Parameter::new("backward-shift", "the distance of backward connections, in units, 1 or more").default("1");
const SIZE: Parameter<u64> = Parameter::new("size", "the number of units in a block, 1 or more").default("1");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "ring",
        summary: "each unit connects to the next, and the last to the first",
        formula: "w = weight from unit j to unit j + 1 (mod n), self-loop from each unit to itself, else 0; without self-loop every eigenvalue has magnitude |weight|",
        source: RODAN,
        ranks: SQUARE,
        parameters: &[&WEIGHT, &SELF_LOOP, &RADIUS],
        bare: Some(WEIGHT.name),
        aliases: &["simple-cycle-reservoir"],
        requires: Requires::Matrices,
        example: example_on("ring:weight=0.9", "24x24", "torch"),
        distribution: |arguments, site| {
            let (weight, self_loop) = (arguments.value(&WEIGHT)?, arguments.value(&SELF_LOOP)?);
            placed(Ring { weight, self_loop }, radius(arguments)?, site.square()?)
        },
        ..EMPTY
    },
    Scheme {
        name: "line",
        summary: "a delay line: each unit connects to the next, and the last to none",
        formula: "w = weight from unit j to unit j + shift, backward from unit j to unit j - backward-shift, self-loop from each unit to itself, else 0",
        source: RODAN,
        ranks: SQUARE,
        parameters: &[&WEIGHT, &SHIFT, &SELF_LOOP, &BACKWARD, &BACKWARD_SHIFT, &RADIUS],
        bare: Some(WEIGHT.name),
        aliases: &["delay-line-reservoir"],
        requires: Requires::Matrices,
        example: example_on("line:weight=0.9", "24x24", "torch"),
        distribution: line,
        ..EMPTY
    },
    Scheme {
        name: "block-diagonal",
        summary: "groups of fully connected units, with no connections between groups",
        formula: "w = weight if floor(i / size) = floor(j / size) is the index of a complete block, else 0; units left over have no connections",
        source: "Ma et al. 2023; ReservoirComputing.jl block_diagonal",
        ranks: SQUARE,
        parameters: &[&WEIGHT, &SIZE, &RADIUS],
        bare: Some(SIZE.name),
        requires: Requires::Matrices,
        example: example_on("block-diagonal:size=5", "24x24", "torch"),
        distribution: |arguments, site| {
            let topology = Blocks { weight: arguments.value(&WEIGHT)?, size: at_least_one(arguments, &SIZE)? };
            placed(topology, radius(arguments)?, site.square()?)
        },
        ..EMPTY
    },
];

#[derive(Debug)]
pub(super) struct Ring {
    pub(super) weight: f64,
    pub(super) self_loop: f64,
}

impl Topology for Ring {
    fn weight(&self, to: u64, from: u64, n: u64) -> f64 {
        if to == (from + 1) % n {
            self.weight
        } else if to == from {
            self.self_loop
        } else {
            0.0
        }
    }

    fn max_abs(&self) -> f64 {
        self.weight.abs().max(self.self_loop.abs())
    }

    fn has_cycle(&self, n: u64) -> bool {
        self.weight != 0.0 || (self.self_loop != 0.0 && n > 1)
    }
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) weight: f64,
    pub(super) shift: u64,
    pub(super) self_loop: f64,
    pub(super) backward: f64,
    pub(super) backward_shift: u64,
}

fn line(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let line = Line {
        weight: arguments.value(&WEIGHT)?,
        shift: at_least_one(arguments, &SHIFT)?,
        self_loop: arguments.value(&SELF_LOOP)?,
        backward: arguments.value(&BACKWARD)?,
        backward_shift: at_least_one(arguments, &BACKWARD_SHIFT)?,
    };
    let (radius, unfolding) = (radius(arguments)?, site.square()?);
    placed(line, radius, unfolding)
}

impl Topology for Line {
    fn weight(&self, to: u64, from: u64, _: u64) -> f64 {
        if to.checked_sub(from) == Some(self.shift) {
            self.weight
        } else if from.checked_sub(to) == Some(self.backward_shift) {
            self.backward
        } else if to == from {
            self.self_loop
        } else {
            0.0
        }
    }

    fn max_abs(&self) -> f64 {
        self.weight.abs().max(self.self_loop.abs()).max(self.backward.abs())
    }

    /// Steps up and down form a rotation by shift + backward-shift. It splits into gcd many cycles, one of which is complete unless each
    /// lacks a position.
    fn has_cycle(&self, n: u64) -> bool {
        let leads_back = self.weight != 0.0 && self.backward != 0.0;
        let circles = common_divisor(self.shift, self.backward_shift);
        self.self_loop != 0.0
            || leads_back && n.saturating_add(circles) > self.shift.saturating_add(self.backward_shift)
    }
}

fn common_divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { common_divisor(other, one % other) }
}

#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) weight: f64,
    pub(super) size: u64,
}

impl Topology for Blocks {
    fn weight(&self, to: u64, from: u64, n: u64) -> f64 {
        let block = to / self.size;
        if block == from / self.size && block < n / self.size { self.weight } else { 0.0 }
    }

    fn max_abs(&self) -> f64 {
        self.weight.abs()
    }

    fn has_cycle(&self, n: u64) -> bool {
        self.weight != 0.0 && self.size <= n
    }
}
