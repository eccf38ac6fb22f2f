//! A panel of consecutive reflections, and its action on columns.

use super::reflection::{ReflectOnce, make_reflection};
use crate::matrix::product::{Packed, Real, Rows, TILE_COLUMNS};
use crate::parallel::{lock, on_threads_meanwhile};
use crate::simd::dispatch;
use pulp::{Simd, WithSimd};
use std::iter::zip;
use std::mem;
use std::sync::Mutex;

/// Sums over rows are computed in parts of this length.
const PART: usize = 128;

/// The number of panel rows packed together, a multiple of [`PART`]: few enough to stay in the cache, and enough for prefetching the
/// adjacent columns.
const PACKED: usize = 4 * PART;

/// The minimum number of multiplications that justifies a thread.
const WORK_OF_A_THREAD: usize = 4_000_000;

/// The minimum number of columns that justifies packing the panel.
const LEAST_BLOCK: usize = 16 * TILE_COLUMNS;

/// The reflections I - t v v^T of consecutive columns, and their product I - V T V^T (Schreiber &
/// Van Loan 1989, "A storage-efficient WY representation for products of Householder
/// transformations").
pub(super) struct Panel<T> {
    /// The first column, and the first row that the reflections change.
    start: usize,
    /// The number of rows that they change.
    height: usize,
    /// The number of reflections.
    width: usize,
    /// V, `height x width` by columns, with ones on the diagonal and zeros above.
    vectors: Vec<T>,
    /// -T, `width x width` by columns, with zeros below the diagonal.
    minus_t: Vec<T>,
    /// The signs of R's diagonal, which start the columns of Q.
    signs: Vec<T>,
}

impl<T: Real> Panel<T> {
    /// Reflections of random vectors, for the `width` columns from `start` on, in the memory of a `spare` panel.
    pub(super) fn draw(
        rows: usize,
        start: usize,
        width: usize,
        normals: &(dyn Fn(u64, &mut [T]) + Sync),
        spare: Option<Self>,
    ) -> Self {
        let height = rows - start;
        let mut vectors = spare.map_or_else(Vec::new, |spare| spare.vectors);
        vectors.clear();
        vectors.reserve_exact(height * width);
        vectors.resize(height * width, T::zero());
        let mut signs = Vec::with_capacity(width);
        for (column, vector) in vectors.chunks_exact_mut(height).enumerate() {
            let vector = &mut vector[column..];
            normals(((start + column) * rows) as u64, vector);
            signs.push(make_reflection(vector));
        }
        Self::new(start, height, vectors, signs)
    }

    /// The reflections that make `columns`, of length `rows`, triangular from row `start` on.
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

    /// The first column.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Fills the panel's own columns, the first of `columns`, with columns of the identity, negated if the diagonal of R is negative. The
    /// reflections act on these.
    pub(super) fn start_columns(&self, columns: &mut [T], rows: usize) {
        for ((column, &sign), number) in zip(columns.chunks_exact_mut(rows), &self.signs).zip(self.start..) {
            // They are zero already, but a fresh page that is read before it is written faults
            // twice, and the second time halts all threads.
            column.fill(T::zero());
            column[number] = sign;
        }
    }

    /// Applies the reflections, the last one first, to `columns` of length `rows`, and runs `meanwhile`. The first columns are the panel's
    /// own, as [`Self::start_columns`] left them.
    pub(super) fn reflect<R>(
        &self,
        columns: &mut [T],
        rows: usize,
        threads: usize,
        meanwhile: impl FnOnce() -> R,
    ) -> R {
        self.apply(&self.minus_t, columns, rows, self.width, threads, meanwhile)
    }

    /// Applies the reflections, the first one first, to `columns` of length `rows`.
    pub(super) fn reflect_back(&self, columns: &mut [T], rows: usize, threads: usize) {
        let width = self.width;
        let transposed: Vec<T> =
            (0..width * width).map(|place| self.minus_t[place % width * width + place / width]).collect();
        self.apply(&transposed, columns, rows, 0, threads, || ());
    }

    /// `columns += V (factor (V^T columns))` for a `factor` of `width x width`, by columns. The first `own` columns are as
    /// [`Self::start_columns`] left them.
    fn apply<R>(
        &self,
        factor: &[T],
        columns: &mut [T],
        rows: usize,
        own: usize,
        threads: usize,
        meanwhile: impl FnOnce() -> R,
    ) -> R {
        let work = 2 * self.height * self.width * (columns.len() / rows);
        let threads = threads.min(work / WORK_OF_A_THREAD).max(1);
        let queue = Mutex::new((columns, own));
        let blocks = || self.apply_to_blocks(factor, &queue, rows, threads);
        on_threads_meanwhile(threads, blocks, meanwhile).1
    }

    /// Takes blocks of columns, with the number of the panel's own, from a queue until it is empty. Large ones first, since packing the
    /// panel has a cost; small ones last, so that all threads end together.
    fn apply_to_blocks(&self, factor: &[T], queue: &Mutex<(&mut [T], usize)>, rows: usize, threads: usize) {
        let take = || {
            let mut queue = lock(queue);
            let (columns, own) = mem::take(&mut *queue);
            let count = columns.len() / rows;
            let block = match threads {
                1 => count,
                _ => count.div_ceil(2 * threads).next_multiple_of(TILE_COLUMNS).max(LEAST_BLOCK).max(own).min(count),
            };
            let (block, rest) = columns.split_at_mut(block * rows);
            queue.0 = rest;
            (block, own)
        };
        loop {
            let (columns, own) = take();
            if columns.is_empty() {
                return;
            }
            dispatch(Reflect { panel: self, factor, columns, rows, own });
        }
    }

    /// V^T times the panel's own columns as [`Self::start_columns`] left them: rows of V with a sign.
    fn products_of_own(&self) -> Vec<T> {
        let products = self.signs.iter().enumerate().flat_map(|(row, &sign)| {
            // A sum that begins with 0 is never -0.
            self.vectors.chunks_exact(self.height).map(move |vector| T::zero() + vector[row] * sign)
        });
        products.collect()
    }
}

/// -T from G = V^T V, column by column: t = 2 / `G[j, j]` on the diagonal, and -t T `G[.., j]` above.
///
/// Thus t matches the rounded v, and the reflection is orthogonal in spite of v's error.
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

/// Applies the reflections of a panel, by -T or its transpose, to columns of length `rows`. The first are the panel's `own`, as it starts
/// them.
struct Reflect<'a, T> {
    panel: &'a Panel<T>,
    factor: &'a [T],
    columns: &'a mut [T],
    rows: usize,
    own: usize,
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
        let mut products = if self.own == 0 { Vec::new() } else { self.panel.products_of_own() };
        let others = Rows::all(&self.columns[self.own * self.rows..], self.rows).part(start, height);
        products.extend(inner_products::<S, T, M>(simd, vectors, others));

        let mut left = Packed::default();
        let mut factors = vec![T::zero(); products.len()];
        left.pack::<S, M>(Rows::all(self.factor, width));
        left.multiply_add::<S, M>(simd, Rows::all(&products, width), &mut factors, width, 0);

        let factors = Rows::all(&factors, width);
        for (first, part) in vectors.parts(PACKED) {
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
    let mut packed: [Packed<T>; PACKED / PART] = Default::default();
    for (first, parts) in left.parts(PACKED) {
        let right = right.part(first, PACKED);
        for (packed, (_, part)) in zip(&mut packed, parts.parts(PART)) {
            packed.pack_transposed::<S, M>(part);
        }
        for (number, products) in products.chunks_mut(TILE_COLUMNS * width).enumerate() {
            for (packed, (_, right)) in zip(&packed, right.parts(PART)) {
                packed.multiply_add_tile::<S, M>(simd, right.tile(number), products, width, 0);
            }
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::available;

    fn normals(start: u64, out: &mut [f32]) {
        for (number, x) in zip(start.., out) {
            let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number << 40;
            *x = (hash >> 40) as f32 / 8_388_608.0 - 1.0;
        }
    }

    #[test]
    fn any_width_of_vectors_gives_the_same_bits() {
        for (rows, width) in [(1, 1), (9, 5), (77, 64), (300, 24)] {
            let panel = Panel::draw(rows, 0, width, &normals, None);
            let results: Vec<_> = available()
                .into_iter()
                .map(|arch| {
                    let gram = arch.dispatch(Gram(Rows::all(&panel.vectors, rows)));
                    let mut columns = vec![0.0; 31 * rows];
                    normals(7, &mut columns);
                    arch.dispatch(Reflect {
                        panel: &panel,
                        factor: &panel.minus_t,
                        columns: &mut columns,
                        rows,
                        own: 0,
                    });
                    (gram, columns)
                })
                .collect();
            assert!(results.iter().all(|result| *result == results[0]), "{rows} x {width}");
        }
    }

    #[test]
    fn the_panels_own_columns_come_out_alike_with_their_products_known_and_summed() {
        for (rows, start, width) in [(1, 0, 1), (9, 3, 5), (77, 13, 64), (300, 0, 24)] {
            let panel = Panel::draw(rows, start, width, &normals, None);
            for arch in available() {
                let [known, summed] = [width, 0].map(|own| {
                    let mut columns = vec![0.0; (width + 7) * rows];
                    normals(7, &mut columns);
                    panel.start_columns(&mut columns, rows);
                    let factor = &panel.minus_t;
                    arch.dispatch(Reflect { panel: &panel, factor, columns: &mut columns, rows, own });
                    columns.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
                });
                assert!(known == summed, "{rows} x {width} from {start}, {arch:?}");
            }
        }
    }
}
