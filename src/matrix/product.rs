//! The product of two matrices, with the same bits on every CPU.
//!
//! Each element of the result is its own chain of additions, in the order of the summation index, without fused
//! multiply-add. Vector lanes hold different elements of the result. A wider vector therefore computes more chains at
//! a time, but the same sums.

use nalgebra::RealField;
use pulp::Simd;
use std::array;
use std::iter::zip;

/// Columns of the result computed together. Four vectors of rows need 24 sums, which fit in 32 registers with the
/// factors; two vectors need 12 sums, for 16 registers.
pub(crate) const TILE_COLUMNS: usize = 6;

/// A floating-point element type, `f32` or `f64`, with its vectors.
pub trait Real: RealField + Copy + Default {
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;

    /// A vector register of elements.
    type Vector<S: Simd>: Copy;

    /// A vector whose lanes all hold `value`.
    fn broadcast<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;

    /// `sum + x * y`, rounded after the product and again after the sum.
    fn add_product<S: Simd>(simd: S, sum: Self::Vector<S>, x: Self::Vector<S>, y: Self::Vector<S>) -> Self::Vector<S>;

    /// The full vectors at the start of `values`.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];

    /// Adds `terms` to `sums`, whose end may lie within a vector.
    fn add_to<S: Simd>(simd: S, sums: &mut [Self], terms: &[Self::Vector<S>]);
}

macro_rules! real {
    ($real:ident, $vector:ident, $splat:ident, $add:ident, $mul:ident,
     $split:ident, $split_mut:ident, $load:ident, $store:ident) => {
        impl Real for $real {
            const MIN_POSITIVE: Self = $real::MIN_POSITIVE;

            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn broadcast<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn add_product<S: Simd>(simd: S, sum: S::$vector, x: S::$vector, y: S::$vector) -> S::$vector {
                simd.$add(sum, simd.$mul(x, y))
            }

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] {
                S::$split(values).0
            }

            #[inline(always)]
            fn add_to<S: Simd>(simd: S, sums: &mut [Self], terms: &[S::$vector]) {
                let (whole, rest) = S::$split_mut(sums);
                if !rest.is_empty() {
                    let sum = simd.$add(simd.$load(rest), terms[whole.len()]);
                    simd.$store(rest, sum);
                }
                for (sum, &term) in zip(whole, terms) {
                    *sum = simd.$add(*sum, term);
                }
            }
        }
    };
}

#[rustfmt::skip]
real!(f32, f32s, splat_f32s, add_f32s, mul_f32s,
      as_simd_f32s, as_mut_simd_f32s, partial_load_f32s, partial_store_f32s);
#[rustfmt::skip]
real!(f64, f64s, splat_f64s, add_f64s, mul_f64s,
      as_simd_f64s, as_mut_simd_f64s, partial_load_f64s, partial_store_f64s);

/// Consecutive rows of a column-major matrix.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    /// All columns of the matrix, one after another.
    values: &'a [T],
    /// The number of rows of the matrix.
    height: usize,
    /// The first row of the part.
    first: usize,
    /// The number of rows of the part.
    count: usize,
}

impl<'a, T: Copy> Rows<'a, T> {
    /// All rows of a matrix of this `height`.
    pub(crate) fn all(values: &'a [T], height: usize) -> Self {
        Self { values, height, first: 0, count: height }
    }

    /// Up to `count` of these rows from `first` on; fewer at the end.
    pub(crate) fn part(self, first: usize, count: usize) -> Self {
        let count = count.min(self.count - first);
        Self { first: self.first + first, count, ..self }
    }

    /// These rows in parts of `count` rows and a remainder, each with the index of its first row.
    #[inline(always)]
    pub(crate) fn parts(self, count: usize) -> impl Iterator<Item = (usize, Self)> {
        let firsts = (0..self.count).step_by(count);
        firsts.map(move |first| (first, self.part(first, count)))
    }

    /// The number of columns.
    pub(crate) fn width(self) -> usize {
        self.values.len() / self.height
    }

    /// These rows of each column.
    #[inline(always)]
    fn columns(self) -> impl Iterator<Item = &'a [T]> {
        let columns = self.values.chunks_exact(self.height);
        columns.map(move |column| &column[self.first..][..self.count])
    }

    /// These rows of the columns in a tile, starting at column `TILE_COLUMNS * tile`. A tile at the right edge
    /// repeats the last column.
    #[inline(always)]
    pub(crate) fn tile(self, tile: usize) -> [&'a [T]; TILE_COLUMNS] {
        let last = self.width() - 1;
        array::from_fn(|column| {
            let column = last.min(TILE_COLUMNS * tile + column);
            &self.values[column * self.height + self.first..][..self.count]
        })
    }
}

/// The left factor in the order in which the product reads it. It consists of strips of `M` vectors of rows, each stored
/// column by column and padded with zeros.
#[derive(Default)]
pub(crate) struct Packed<T> {
    values: Vec<T>,
    rows: usize,
    columns: usize,
}

impl<T: Real> Packed<T> {
    /// Packs `matrix`, replacing the previous factor.
    #[inline(always)]
    pub(crate) fn pack<S: Simd, const M: usize>(&mut self, matrix: Rows<T>) {
        let strip = rows_of_a_strip::<S, T, M>();
        self.resize(matrix.count, matrix.width(), strip);
        for ((_, part), packed) in zip(matrix.parts(strip), self.values.chunks_exact_mut(strip * self.columns)) {
            for (column, packed) in zip(part.columns(), packed.chunks_exact_mut(strip)) {
                let (packed, below) = packed.split_at_mut(column.len());
                packed.copy_from_slice(column);
                below.fill(T::zero());
            }
        }
    }

    /// Packs the transpose of `matrix`, replacing the previous factor.
    #[inline(always)]
    pub(crate) fn pack_transposed<S: Simd, const M: usize>(&mut self, matrix: Rows<T>) {
        let strip = rows_of_a_strip::<S, T, M>();
        self.resize(matrix.width(), matrix.count, strip);
        let mut rows = matrix.columns();
        for packed in self.values.chunks_exact_mut(strip * self.columns) {
            for place in 0..strip {
                let packed = packed[place..].iter_mut().step_by(strip);
                match rows.next() {
                    Some(row) => zip(packed, row).for_each(|(packed, &x)| *packed = x),
                    None => packed.for_each(|packed| *packed = T::zero()),
                }
            }
        }
    }

    fn resize(&mut self, rows: usize, columns: usize, strip: usize) {
        (self.rows, self.columns) = (rows, columns);
        self.values.resize(rows.next_multiple_of(strip) * columns, T::zero());
    }

    /// `out += self * right`, for the rows of `out` from `first` on. `height` is the number of rows of `out`'s
    /// matrix.
    ///
    /// The products of an element are summed in order before the sum is added to `out`.
    #[inline(always)]
    pub(crate) fn multiply_add<S: Simd, const M: usize>(
        &self,
        simd: S,
        right: Rows<T>,
        out: &mut [T],
        height: usize,
        first: usize,
    ) {
        for (number, out) in out.chunks_mut(TILE_COLUMNS * height).enumerate() {
            self.multiply_add_tile::<S, M>(simd, right.tile(number), out, height, first);
        }
    }

    /// Like [`Self::multiply_add`], for one tile of columns.
    #[inline(always)]
    pub(crate) fn multiply_add_tile<S: Simd, const M: usize>(
        &self,
        simd: S,
        right: [&[T]; TILE_COLUMNS],
        out: &mut [T],
        height: usize,
        first: usize,
    ) {
        let strip = rows_of_a_strip::<S, T, M>();
        let strips = self.values.chunks_exact(strip * self.columns);
        for (row, left) in zip((0..self.rows).step_by(strip), strips) {
            let sums = multiply_tile::<S, T, M>(simd, left, right);
            let rows = first + row..first + self.rows.min(row + strip);
            for (column, sums) in zip(out.chunks_exact_mut(height), &sums) {
                T::add_to(simd, &mut column[rows.clone()], sums);
            }
        }
    }
}

/// The number of rows in `M` vectors.
fn rows_of_a_strip<S: Simd, T: Real, const M: usize>() -> usize {
    M * size_of::<T::Vector<S>>() / size_of::<T>()
}

/// Multiplies one strip of a packed factor by a tile of columns, with all sums in registers.
#[inline(always)]
fn multiply_tile<S: Simd, T: Real, const M: usize>(
    simd: S,
    left: &[T],
    right: [&[T]; TILE_COLUMNS],
) -> [[T::Vector<S>; M]; TILE_COLUMNS] {
    let (left, _) = T::vectors::<S>(left).as_chunks::<M>();
    // Lets the compiler remove the bounds checks below.
    let right = right.map(|column| &column[..left.len()]);
    let mut sums = [[T::broadcast(simd, T::zero()); M]; TILE_COLUMNS];
    for (k, left) in left.iter().enumerate() {
        for (sums, column) in zip(&mut sums, right) {
            let factor = T::broadcast(simd, column[k]);
            for (sum, &x) in zip(sums, left) {
                *sum = T::add_product(simd, *sum, x, factor);
            }
        }
    }
    sums
}
