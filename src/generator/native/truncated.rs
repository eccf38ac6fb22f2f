//! Truncated normal laws. Where enough of the normal lies between the cuts, the normal of each element is drawn again, from
//! the planes of the next attempt, until it lies there; so an element that is not cut equals that of the plain normal.
//! Otherwise see [`super::tails`].

use pulp::{Simd, WithSimd};

use super::elementwise::{TILE, by_tiles, within};
use super::normal::{Planes, standard_doubles, standard_tile};
use super::tails::Tails;
use super::words::Words;
use crate::gaussian;
use crate::generator::{Source, dispatch};
use crate::plan::narrow;

/// The least probability between the cuts for which drawing again is worth while.
const LEAST_KEPT: f64 = 0.3;

/// The numbers of N(mean, std²) between `cuts` (in sigma), inside the closed `bounds` of the dtype.
pub(super) fn open(words: Words, mean: f64, std: f64, cuts: (f64, f64), bounds: (f64, f64)) -> Box<dyn Source> {
    if gaussian::between(cuts.0, cuts.1) < LEAST_KEPT {
        return Box::new(Tails { words, mean, std, cuts, bounds });
    }
    Box::new(Redrawn { words, mean, std, cuts: (narrow(cuts.0), narrow(cuts.1)), bounds })
}

struct Redrawn {
    words: Words,
    mean: f64,
    std: f64,
    cuts: (f32, f32),
    bounds: (f64, f64),
}

impl Source for Redrawn {
    fn singles(&self, start: u64, out: &mut [f32]) {
        by_tiles(start, out, |first, tiles| dispatch(Singles { law: self, first, out: tiles }));
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        by_tiles(start, out, |first, tiles| {
            for (tile, first) in tiles.chunks_exact_mut(TILE).zip((first..).step_by(TILE)) {
                self.double_tile(first, tile);
                for z in tile {
                    *z = (*z * self.std + self.mean).clamp(self.bounds.0, self.bounds.1);
                }
            }
        });
    }
}

impl Redrawn {
    /// Whether a standard normal is kept; decided on singles, alike for every dtype.
    #[inline(always)]
    fn keeps(&self, z: f32) -> bool {
        self.cuts.0 <= z && z <= self.cuts.1
    }

    fn double_tile(&self, first: u64, tile: &mut [f64]) {
        let (mut singles, mut doubles) = ([0.0; TILE], [0.0; TILE]);
        let mut wanting = [true; TILE];
        for attempt in 0.. {
            let planes = Planes::of_attempt(attempt);
            dispatch(Attempt { words: &self.words, planes, first, out: &mut singles });
            standard_doubles(&self.words, planes, first, &mut doubles);
            for offset in 0..TILE {
                if wanting[offset] && self.keeps(singles[offset]) {
                    (tile[offset], wanting[offset]) = (doubles[offset], false);
                }
            }
            if !wanting.contains(&true) {
                return;
            }
        }
    }
}

struct Attempt<'a> {
    words: &'a Words,
    planes: Planes,
    first: u64,
    out: &'a mut [f32; TILE],
}

impl WithSimd for Attempt<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        standard_tile(simd, self.words, self.planes, self.first, &mut [0; TILE], self.out);
    }
}

struct Singles<'a> {
    law: &'a Redrawn,
    first: u64,
    out: &'a mut [f32],
}

impl WithSimd for Singles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { law, .. } = self;
        let (mean, std) = (narrow(law.mean), narrow(law.std));
        let (low, high) = (narrow(law.bounds.0), narrow(law.bounds.1));
        let (mut drawn, mut again) = ([0; TILE], [0.0; TILE]);
        for (tile, first) in self.out.chunks_exact_mut(TILE).zip((self.first..).step_by(TILE)) {
            standard_tile(simd, &law.words, Planes::of_attempt(0), first, &mut drawn, tile);
            for attempt in 1.. {
                let all_kept = tile.iter().fold(true, |kept, &z| kept & law.keeps(z));
                if all_kept {
                    break;
                }
                standard_tile(simd, &law.words, Planes::of_attempt(attempt), first, &mut drawn, &mut again);
                for (z, &other) in tile.iter_mut().zip(&again) {
                    *z = if law.keeps(*z) { *z } else { other };
                }
            }
            for z in tile {
                *z = within(*z * std + mean, low, high);
            }
        }
    }
}
