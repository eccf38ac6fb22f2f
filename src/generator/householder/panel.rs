//! Some consecutive reflections of a matrix, and what they do to its columns.

use super::product::{Packed, Real, Rows, TILE_COLUMNS};
use super::reflection::{ReflectOnce, make_reflection};
use crate::generator::dispatch;
use pulp::{Simd, WithSimd};
use std::iter::zip;
use std::slice::ChunksMut;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Rows of a panel that are packed together, so that they are still in the cache when they are
/// used. A sum over rows is the sum of those over these parts.
const PART: usize = 128;

/// Multiplications that are worth the start of a thread.
const WORK_OF_A_THREAD: usize = 32_000_000;

/// Columns that are worth packing the panel for.
const LEAST_BLOCK: usize = 16 * TILE_COLUMNS;

/// The reflections I - t v v^T of consecutive columns, and their product I - V T V^T (Schreiber &
/// Van Loan 1989, "A storage-efficient WY representation for products of Householder
/// transformations").
pub(super) struct Panel<T> {
    /// The first of the columns, and the first row that the reflections change.
    start: usize,
    /// The number of rows that they change.
    height: usize,
    /// The number of reflections.
    width: usize,
    /// V, `height x width` by columns, with ones on the diagonal and zeros above.
    vectors: Vec<T>,
    /// -T, `width x width` by columns, with zeros below the diagonal.
    minus_t: Vec<T>,
    /// The signs of the diagonal of R, with which the columns of Q begin.
    signs: Vec<T>,
}

impl<T: Real> Panel<T> {
    /// Reflections of random vectors, for the `width` columns from `start` on.
    pub(super) fn draw(rows: usize, start: usize, width: usize, normals: &(dyn Fn(u64, &mut [T]) + Sync)) -> Self {
        let height = rows - start;
        let mut vectors = vec![T::zero(); height * width];
        let mut signs = Vec::with_capacity(width);
        for (column, vector) in vectors.chunks_exact_mut(height).enumerate() {
            let vector = &mut vector[column..];
            normals(((start + column) * rows) as u64, vector);
            signs.push(make_reflection(vector));
        }
        Self::new(start, height, vectors, signs)
    }

    /// The reflections that make `columns`, of `rows` numbers each, triangular from row `start` on.
    pub(super) fn of(rows: usize, start: usize, columns: &[T]) -> Self {
        let height = rows - start;
        let mut vectors: Vec<T> = columns.chunks_exact(rows).flat_map(|column| &column[start..]).copied().collect();
        let mut signs = Vec::with_capacity(vectors.len() / height);
        for number in 0..vectors.len() / height {
            let (own, later) = vectors[number * height..].split_at_mut(height);
            let own = &mut own[number..];
            let is_zero = own.iter().all(|x| *x == T::zero());
            let sign = make_reflection(own);
            signs.push(if is_zero { T::zero() } else { sign });
            dispatch(ReflectOnce { vector: own, columns: later, height });
        }
        for (number, vector) in vectors.chunks_exact_mut(height).enumerate() {
            vector[..number].fill(T::zero());
        }
        Self::new(start, height, vectors, signs)
    }

    fn new(start: usize, height: usize, vectors: Vec<T>, signs: Vec<T>) -> Self {
        let width = signs.len();
        let gram = dispatch(Gram(Rows::all(&vectors, height)));
        let minus_t = minus_t(&gram, width);
        Self { start, height, width, vectors, minus_t, signs }
    }

    /// The first of its columns.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Fills the panel's own columns, the first of `columns`, with what the reflections act on:
    /// those of the identity, or their opposites where the diagonal of R is negative.
    pub(super) fn start_columns(&self, columns: &mut [T], rows: usize) {
        for ((column, &sign), number) in zip(columns.chunks_exact_mut(rows), &self.signs).zip(self.start..) {
            // They are zero already, but a fresh page that is read before it is written faults
            // twice, and the second time halts all threads.
            column.fill(T::zero());
            column[number] = sign;
        }
    }

    /// Applies the reflections, the last one first, to `columns` of `rows` numbers each, and runs `meanwhile`.
    pub(super) fn reflect<R>(
        &self,
        columns: &mut [T],
        rows: usize,
        threads: usize,
        meanwhile: impl FnOnce() -> R,
    ) -> R {
        self.apply(&self.minus_t, columns, rows, threads, meanwhile)
    }

    /// Applies the reflections, the first one first, to `columns` of `rows` numbers each.
    pub(super) fn reflect_back(&self, columns: &mut [T], rows: usize, threads: usize) {
        let width = self.width;
        let transposed: Vec<T> =
            (0..width * width).map(|place| self.minus_t[place % width * width + place / width]).collect();
        self.apply(&transposed, columns, rows, threads, || ());
    }

    /// `columns += V (factor (V^T columns))`, whose `factor` is `width x width` by columns.
    fn apply<R>(
        &self,
        factor: &[T],
        columns: &mut [T],
        rows: usize,
        threads: usize,
        meanwhile: impl FnOnce() -> R,
    ) -> R {
        let count = columns.len() / rows;
        let work = 2 * self.height * self.width * count;
        let threads = threads.min(work / WORK_OF_A_THREAD).max(1);
        // Two blocks for each thread, since the thread with something else to do takes fewer.
        let blocks = if threads == 1 { 1 } else { 2 * threads };
        let block = count.div_ceil(blocks).next_multiple_of(TILE_COLUMNS).max(LEAST_BLOCK);
        let queue = Mutex::new(columns.chunks_mut(block * rows));
        thread::scope(|scope| {
            // Where the system has no more threads to give, those that there are do the work.
            let blocks = || self.apply_to_blocks(factor, &queue, rows);
            let spawn = |_| thread::Builder::new().spawn_scoped(scope, blocks).ok();
            (1..threads).map_while(spawn).for_each(drop);
            let result = meanwhile();
            blocks();
            result
        })
    }

    fn apply_to_blocks(&self, factor: &[T], queue: &Mutex<ChunksMut<T>>, rows: usize) {
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some(columns) = take() {
            dispatch(Reflect { panel: self, factor, columns, rows });
        }
    }
}

/// -T from G = V^T V, column by column: t = 2 / `G[j, j]` on the diagonal, and -t T `G[.., j]` above.
///
/// So t belongs to v as it was rounded, and the reflection is orthogonal whatever v's error.
fn minus_t<T: Real>(gram: &[T], width: usize) -> Vec<T> {
    let mut minus_t = vec![T::zero(); width * width];
    for (j, gram) in gram.chunks_exact(width).enumerate() {
        let t = (T::one() + T::one()) / gram[j];
        let (before, column) = minus_t.split_at_mut(j * width);
        for (k, before) in before.chunks_exact(width).enumerate() {
            let factor = t * gram[k];
            for (sum, &minus_t) in zip(&mut column[..=k], before) {
                *sum -= minus_t * factor;
            }
        }
        column[j] = -t;
    }
    minus_t
}

/// Computes the inner products V^T V.
struct Gram<'a, T>(Rows<'a, T>);

impl<T: Real> WithSimd for Gram<'_, T> {
    type Output = Vec<T>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<T> {
        if S::REGISTER_COUNT < 32 {
            inner_products::<S, T, 2>(simd, self.0, self.0)
        } else {
            inner_products::<S, T, 4>(simd, self.0, self.0)
        }
    }
}

/// Applies the reflections of a panel, by -T or its transpose, to columns of `rows` numbers each.
struct Reflect<'a, T> {
    panel: &'a Panel<T>,
    factor: &'a [T],
    columns: &'a mut [T],
    rows: usize,
}

impl<T: Real> WithSimd for Reflect<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT < 32 {
            self.reflect::<S, 2>(simd);
        } else {
            self.reflect::<S, 4>(simd);
        }
    }
}

impl<T: Real> Reflect<'_, T> {
    /// Q += V (factor (V^T Q)), with `M` vectors of rows at a time.
    #[inline(always)]
    fn reflect<S: Simd, const M: usize>(self, simd: S) {
        let Panel { start, height, width, .. } = *self.panel;
        let vectors = Rows::all(&self.panel.vectors, height);
        let columns = Rows::all(self.columns, self.rows).part(start, height);
        let products = inner_products::<S, T, M>(simd, vectors, columns);

        let mut left = Packed::default();
        let mut factors = vec![T::zero(); products.len()];
        left.pack::<S, M>(Rows::all(self.factor, width));
        left.multiply_add::<S, M>(simd, Rows::all(&products, width), &mut factors, width, 0);

        let factors = Rows::all(&factors, width);
        for (first, part) in vectors.parts(PART) {
            left.pack::<S, M>(part);
            left.multiply_add::<S, M>(simd, factors, self.columns, self.rows, start + first);
        }
    }
}

/// The inner products of the columns of `left` with those of `right`: left^T right, by columns.
#[inline(always)]
fn inner_products<S: Simd, T: Real, const M: usize>(simd: S, left: Rows<T>, right: Rows<T>) -> Vec<T> {
    let width = left.width();
    let mut products = vec![T::zero(); width * right.width()];
    let mut packed = Packed::default();
    for (first, part) in left.parts(PART) {
        packed.pack_transposed::<S, M>(part);
        packed.multiply_add::<S, M>(simd, right.part(first, PART), &mut products, width, 0);
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::available;

    fn normals(start: u64, out: &mut [f32]) {
        for (number, x) in zip(start.., out) {
            let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number << 40;
            *x = (hash >> 40) as f32 / 8_388_608.0 - 1.0;
        }
    }

    #[test]
    fn any_width_of_vectors_gives_the_same_bits() {
        for (rows, width) in [(1, 1), (9, 5), (77, 64), (300, 24)] {
            let panel = Panel::draw(rows, 0, width, &normals);
            let results: Vec<_> = available()
                .into_iter()
                .map(|arch| {
                    let gram = arch.dispatch(Gram(Rows::all(&panel.vectors, rows)));
                    let mut columns = vec![0.0; 31 * rows];
                    normals(7, &mut columns);
                    arch.dispatch(Reflect { panel: &panel, factor: &panel.minus_t, columns: &mut columns, rows });
                    (gram, columns)
                })
                .collect();
            assert!(results.iter().all(|result| *result == results[0]), "{rows} x {width}");
        }
    }
}
