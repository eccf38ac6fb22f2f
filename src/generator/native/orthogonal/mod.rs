//! Haar-distributed orthogonal matrices, by singular vectors or by reflections.

mod svd;

use std::ops::Mul;

use super::normal::Normal;
use super::words::Words;
use crate::distribution::{OrthogonalMethod, bytes_of, panels};
use crate::generator::precision::Precision;
use crate::generator::{Source, householder};
use crate::tensor::{DType, MatrixIndex, Unfolding, to_f32, to_usize};

/// The plane of the words for the signs of singular vectors.
const SIGNS: u64 = 4;

/// The matrices of a tensor, drawn by `threads` threads.
pub(super) fn open(
    words: Words,
    gain: f64,
    method: OrthogonalMethod,
    unfolding: &Unfolding,
    dtype: DType,
    threads: usize,
) -> Box<dyn Source> {
    let normals = Normal { words, mean: 0.0, std: 1.0 };
    let draw = Draw { normals, threads, unfolding: unfolding.clone() };
    match (method, dtype) {
        // Singular vectors feel the rounding of their matrix, so they are found in double precision for every dtype.
        (OrthogonalMethod::Svd, DType::F64) => draw.matrices(gain, Draw::singular_vectors),
        (OrthogonalMethod::Svd, _) => {
            draw.matrices(to_f32(gain), |draw, first| draw.singular_vectors(first).into_iter().map(to_f32).collect())
        }
        (OrthogonalMethod::Householder, DType::F64) => draw.matrices(gain, |draw, first| {
            let normals = |start, out: &mut [f64]| draw.normals.fill_f64(first + start, out);
            householder::drawn(draw.longer(), draw.shorter(), &normals, draw.threads)
        }),
        (OrthogonalMethod::Householder, _) => draw.matrices(to_f32(gain), |draw, first| {
            let normals = |start, out: &mut [f32]| draw.normals.fill_f32(first + start, out);
            householder::drawn(draw.longer(), draw.shorter(), &normals, draw.threads)
        }),
    }
}

/// A `longer` x `shorter` matrix with orthonormal columns from reflections of normals, column by column.
pub(super) fn orthonormal(words: Words, longer: usize, shorter: usize, threads: usize) -> Vec<f64> {
    let normals = Normal { words, mean: 0.0, std: 1.0 };
    householder::drawn(longer, shorter, &|start, out: &mut [f64]| normals.fill_f64(start, out), threads)
}

/// The memory for a tensor's matrices and their computation, in bytes.
pub(in crate::generator) fn workspace(method: OrthogonalMethod, unfolding: &Unfolding, dtype: DType) -> u64 {
    let matrix = unfolding.rows() * unfolding.columns();
    let kept = matrix * unfolding.matrices() * if dtype == DType::F64 { 8 } else { 4 };
    match method {
        // The matrix, its copy and the vectors, in double precision.
        OrthogonalMethod::Svd => kept + matrix * 24,
        OrthogonalMethod::Householder => kept + bytes_of(&[&panels(unfolding.rows().max(unfolding.columns()))]),
    }
}

/// The inputs of a draw of matrices.
struct Draw {
    normals: Normal,
    threads: usize,
    unfolding: Unfolding,
}

impl Draw {
    fn longer(&self) -> usize {
        to_usize(self.unfolding.rows().max(self.unfolding.columns()))
    }

    fn shorter(&self) -> usize {
        to_usize(self.unfolding.rows().min(self.unfolding.columns()))
    }

    fn singular_vectors(&self, first: u64) -> Vec<f64> {
        let normals = |start, out: &mut [f64]| self.normals.fill_f64(first + start, out);
        let flip = |column| self.normals.words.word(SIGNS, first + column) & 1 == 1;
        svd::svd(self.longer(), self.shorter(), &normals, &flip)
    }

    /// Draws each matrix by `make`, which gets the index of its first normal.
    fn matrices<T: Precision + Mul<Output = T>>(self, gain: T, make: impl Fn(&Self, u64) -> Vec<T>) -> Box<dyn Source> {
        let size = self.unfolding.rows() * self.unfolding.columns();
        let count = if size == 0 { 0 } else { self.unfolding.matrices() };
        let matrices = (0..count).map(|matrix| make(&self, matrix * size)).collect();
        Box::new(Orthogonal { gain, matrices, unfolding: self.unfolding })
    }
}

/// Matrices, stored as the vectors of the shorter side.
struct Orthogonal<T> {
    gain: T,
    matrices: Vec<Vec<T>>,
    unfolding: Unfolding,
}

impl<T: Precision + Mul<Output = T>> Source for Orthogonal<T> {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.gather(start, out, T::single);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.gather(start, out, T::double);
    }
}

impl<T: Precision + Mul<Output = T>> Orthogonal<T> {
    fn gather<N>(&self, start: u64, out: &mut [N], convert: fn(T) -> N) {
        let (rows, columns) = (self.unfolding.rows(), self.unfolding.columns());
        // A tall matrix is stored by columns, a wide one by rows, so that the orthonormal vectors are contiguous.
        let [by_row, by_column] = if rows >= columns { [1, rows] } else { [columns, 1] };
        let at = |place: MatrixIndex| place.row * by_row + place.column * by_column;
        let step = self.unfolding.step();
        let mut beside = Beside { apart: to_usize(at(step)), ..Beside::default() };
        self.unfolding.for_each_run(start, out.len() as u64, |offset, length, place| {
            let (offset, length) = (to_usize(offset), to_usize(length));
            if step.matrix == 0 {
                let run = Run { offset, length, matrix: to_usize(place.matrix), first: to_usize(at(place)) };
                if !beside.take(run) {
                    self.put(&beside, out, convert);
                    beside.runs.clear();
                    beside.take(run);
                }
                return;
            }
            for (along, value) in (0..).zip(&mut out[offset..][..length]) {
                let matrix = &self.matrices[to_usize(place.matrix + along * step.matrix)];
                *value = convert(self.gain * matrix[to_usize(at(place))]);
            }
        });
        self.put(&beside, out, convert);
    }

    /// Writes adjacent runs to their places in the output.
    fn put<N>(&self, Beside { runs, apart }: &Beside, out: &mut [N], convert: fn(T) -> N) {
        let Some(&Run { length, matrix, first, .. }) = runs.first() else { return };
        let values = &self.matrices[matrix][first..];
        if let ([run], 1) = (&runs[..], apart) {
            for (out, &value) in out[run.offset..][..length].iter_mut().zip(values) {
                *out = convert(self.gain * value);
            }
            return;
        }
        for along in 0..length {
            for (run, &value) in runs.iter().zip(&values[along * apart..]) {
                out[run.offset + along] = convert(self.gain * value);
            }
        }
    }
}

/// Consecutive elements of a tensor, with the matrix and position of the first.
#[derive(Clone, Copy)]
struct Run {
    offset: usize,
    length: usize,
    matrix: usize,
    first: usize,
}

/// Runs of equal length with adjacent elements in a matrix, read together because they share cache lines.
#[derive(Default)]
struct Beside {
    runs: Vec<Run>,
    /// The distance in the matrix of a run's elements.
    apart: usize,
}

impl Beside {
    /// Adds a run if it is adjacent to the others; false otherwise.
    fn take(&mut self, run: Run) -> bool {
        let fits = match self.runs[..] {
            [] => true,
            [first, ..] => {
                self.apart > 1
                    && self.runs.len() < RUNS_TOGETHER
                    && (run.length, run.matrix) == (first.length, first.matrix)
                    && run.first == first.first + self.runs.len()
            }
        };
        if fits {
            self.runs.push(run);
        }
        fits
    }
}

/// The number of runs read together: as many as a cache line has singles.
const RUNS_TOGETHER: usize = 16;
