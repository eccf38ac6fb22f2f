//! Orthogonal distributions: orthonormal to rounding, and Haar-distributed.

use fanin::tensor::DType;
use nalgebra::DMatrix;

use crate::draw;
use crate::sample::{CRITICAL, distance};

/// Expressions of both methods.
pub(crate) const EXPRESSIONS: [&str; 3] = ["orthogonal", METHODS[0], METHODS[1]];
const METHODS: [&str; 2] = ["orthogonal:method=svd", "orthogonal:method=householder"];

const SHAPES: &str = "1x1 1x2 2x1 2x2 1x100 100x1 2x3 3x2 3x3 4x4 5x5 5x8 8x5 7x7 8x8 9x9 10x64 64x10 16x16 17x31 31x17 \
    32x32 33x33 48x5 5x48 63x64 64x63 64x64 65x65 100x100 128x127 127x129 128x128 2x1000 1000x3 150x90 90x150 200x200 \
    256x64 257x300";

/// The largest element of Q'Q - I, or of QQ' - I where that is the smaller.
fn departure(matrix: &DMatrix<f64>) -> f64 {
    let product = if matrix.nrows() < matrix.ncols() { matrix * matrix.transpose() } else { matrix.tr_mul(matrix) };
    let size = product.nrows();
    (product - DMatrix::identity(size, size)).amax()
}

#[track_caller]
fn assert_orthonormal(matrix: &DMatrix<f64>, dtype: DType, what: &str) {
    let epsilon = if dtype == DType::F64 { f64::EPSILON } else { f32::EPSILON.into() };
    let allowed = 8.0 * epsilon * (matrix.nrows().min(matrix.ncols()) as f64).sqrt();
    let found = departure(matrix);
    assert!(found <= allowed, "{what} in {dtype}: off by {found:e}, above {allowed:e}");
    // The check itself: one element off by 1 % is found.
    let mut wrong = matrix.clone();
    let largest = wrong.iamax_full();
    wrong[largest] *= 1.01;
    assert!(departure(&wrong) > allowed, "{what} in {dtype}: a planted error was not found");
}

/// The matrix of a tensor, divided by its gain.
fn matrix(
    expression: &str,
    shape: &str,
    layout: &str,
    dtype: DType,
    gain: f64,
    [rows, columns]: [usize; 2],
) -> DMatrix<f64> {
    DMatrix::from_row_slice(rows, columns, &draw::whole(9, &draw::tensor(expression, shape, layout, dtype))) / gain
}

#[test]
fn rows_or_columns_are_orthonormal_in_every_shape() {
    assert_eq!(SHAPES.split_whitespace().count(), 40);
    for shape in SHAPES.split_whitespace() {
        let (rows, columns) = shape.split_once('x').unwrap();
        let sizes = [rows, columns].map(|size| size.parse().unwrap());
        for (method, dtype) in METHODS.into_iter().flat_map(|method| [(method, DType::F32), (method, DType::F64)]) {
            for (gain, number) in [("1", 1.0), ("relu", 2f64.sqrt()), ("0.01", 0.01)] {
                let expression = format!("{method},gain={gain}");
                let matrix = matrix(&expression, shape, "io", dtype, number, sizes);
                assert_orthonormal(&matrix, dtype, &format!("{expression} of {shape}"));
            }
        }
    }
}

#[test]
fn large_matrices_are_orthonormal_by_the_method_that_is_taken_for_them() {
    for (shape, sizes) in [("512x512", [512, 512]), ("513x1030", [513, 1030])] {
        for dtype in [DType::F32, DType::F64] {
            assert_orthonormal(&matrix("orthogonal", shape, "io", dtype, 1.0, sizes), dtype, shape);
        }
    }
}

#[test]
fn convolutions_are_orthonormal_after_flattening() {
    for (method, dtype) in METHODS.into_iter().flat_map(|method| [(method, DType::F32), (method, DType::F64)]) {
        for (layout, shape, sizes) in [
            ("torch", "32x8x3x3", [32, 72]),
            ("torch", "100x8x3x3", [100, 72]),
            ("torch", "20x7x5", [20, 35]),
            ("keras", "3x3x8x32", [72, 32]),
            ("keras", "3x3x8x100", [72, 100]),
            ("mlx", "32x3x3x8", [32, 72]),
            ("c01b", "8x3x3x32", [72, 32]),
            ("ioo", "24x4x5", [24, 20]),
        ] {
            let what = format!("{method} of {shape} in {layout}");
            assert_orthonormal(&matrix(method, shape, layout, dtype, 1.0, sizes), dtype, &what);
        }
    }
}

#[test]
fn torch_and_keras_get_one_matrix_in_two_layouts() {
    for method in METHODS {
        let torch = matrix(method, "30x50", "torch", DType::F64, 1.0, [30, 50]);
        let keras = matrix(method, "50x30", "keras", DType::F64, 1.0, [50, 30]);
        assert_eq!(torch, keras.transpose());
    }
}

#[test]
fn every_matrix_of_a_batch_is_orthonormal_and_another() {
    for method in METHODS {
        for (layout, shape) in [("boi", "6x20x30"), ("gio", "6x20x30")] {
            let values = draw::whole(9, &draw::tensor(method, shape, layout, DType::F64));
            let batch: Vec<_> = values.chunks_exact(600).map(|one| DMatrix::from_row_slice(20, 30, one)).collect();
            assert_eq!(batch.len(), 6);
            for (number, matrix) in batch.iter().enumerate() {
                assert_orthonormal(matrix, DType::F64, &format!("{method} of {shape} in {layout}"));
                for other in &batch[..number] {
                    assert!((matrix - other).amax() > 0.1 && (matrix + other).amax() > 0.1);
                }
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_value() {
    for (expression, shape, dtype) in [
        ("orthogonal:method=householder", "1400x1350", DType::F32),
        ("orthogonal:method=householder", "800x900", DType::F64),
        ("orthogonal:method=svd", "70x60", DType::F32),
    ] {
        let tensor = draw::tensor(expression, shape, "io", dtype);
        let count = usize::try_from(tensor.shape().count()).unwrap();
        let draws = [1, 2, 3, 7].map(|threads| draw::doubles(&*draw::open_with(9, &tensor, threads), 0, count));
        assert!(draws.iter().all(|values| *values == draws[0]), "{expression} of {shape} in {dtype}");
    }
}

const DRAWS: u64 = 20_000;

/// Matrices of as many seeds.
fn draws(method: &str, rows: usize, columns: usize) -> Vec<DMatrix<f64>> {
    let tensor = draw::tensor(method, &format!("{rows}x{columns}"), "io", DType::F64);
    let matrices = (0..DRAWS).map(|seed| DMatrix::from_row_slice(rows, columns, &draw::whole(seed, &tensor)));
    matrices.collect()
}

/// The same matrices as if the signs of their vectors were not drawn, but chosen.
fn with_chosen_signs(matrices: &[DMatrix<f64>]) -> Vec<DMatrix<f64>> {
    let mut matrices = matrices.to_vec();
    for mut column in matrices.iter_mut().flat_map(|matrix| matrix.column_iter_mut().collect::<Vec<_>>()) {
        if column[0] < 0.0 {
            column.neg_mut();
        }
    }
    matrices
}

/// Whether an entry of unit vectors in five dimensions has its distribution: the square follows Beta(1/2, 2).
pub(crate) fn has_the_distribution_of_five_dimensions(matrices: &[DMatrix<f64>], row: usize, column: usize) -> bool {
    let entries = matrices.iter().map(|matrix| matrix[(row, column)]).collect();
    distance(entries, |x| 0.5 + 0.75 * (x - x * x * x / 3.0)) <= CRITICAL / (matrices.len() as f64).sqrt()
}

#[test]
fn entries_have_their_beta_distribution() {
    for method in METHODS {
        let square = draws(method, 5, 5);
        for (row, column) in (0..5).flat_map(|row| (0..5).map(move |column| (row, column))) {
            assert!(has_the_distribution_of_five_dimensions(&square, row, column), "{method}: entry {row}, {column}");
        }
        for (rows, columns) in [(5, 3), (3, 5)] {
            let matrices = draws(method, rows, columns);
            assert!(has_the_distribution_of_five_dimensions(&matrices, 0, 0), "{method} of {rows}x{columns}");
            assert!(
                has_the_distribution_of_five_dimensions(&matrices, rows - 1, columns - 1),
                "{method} of {rows}x{columns}"
            );
        }
        assert!(!has_the_distribution_of_five_dimensions(&draws(method, 6, 6), 0, 0), "six dimensions passed for five");
        assert!(!has_the_distribution_of_five_dimensions(&with_chosen_signs(&square), 0, 0), "chosen signs passed");
    }
}

/// By how many standard errors the mean of a sample is off.
pub(crate) fn errors(values: &[f64], expected: f64) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean - expected) / (variance / count).sqrt()
}

/// By how many standard errors the traces of powers are off at most, in the mean and in the square. They are what says where
/// the eigenvalues lie on the unit circle: for Haar's distribution on n x n matrices the trace of `Q^j` has mean 1 for even j and 0
/// for odd, and variance j, up to j = n/2 and beyond (Diaconis and Shahshahani 1994).
fn errors_of_traces(matrices: &[DMatrix<f64>]) -> f64 {
    let mut powers = matrices.to_vec();
    let mut largest = 0f64;
    for power in 1..=4 {
        let mean = f64::from(power % 2 == 0);
        let traces: Vec<f64> = powers.iter().map(DMatrix::trace).collect();
        let squares: Vec<f64> = traces.iter().map(|trace| (trace - mean).powi(2)).collect();
        largest = largest.max(errors(&traces, mean).abs()).max(errors(&squares, f64::from(power)).abs());
        for (product, matrix) in powers.iter_mut().zip(matrices) {
            *product = &*product * matrix;
        }
    }
    largest
}

#[test]
fn eigenvalues_lie_on_the_circle_as_haar_s_distribution_has_them() {
    for method in METHODS {
        let matrices = draws(method, 8, 8);
        let largest = errors_of_traces(&matrices);
        assert!(largest < 5.0, "{method}: {largest} standard errors");
        assert!(errors_of_traces(&with_chosen_signs(&matrices)) > 5.0, "{method}: chosen signs passed");
    }
}

#[test]
fn determinants_have_both_signs_equally_often() {
    for (method, size) in METHODS.into_iter().flat_map(|method| [(method, 1), (method, 2), (method, 5)]) {
        let signs: Vec<f64> = draws(method, size, size).iter().map(|matrix| matrix.determinant().signum()).collect();
        let off = errors(&signs, 0.0);
        assert!(off.abs() < 4.0, "{method} of {size}x{size}: {off} standard errors");
    }
}

#[test]
fn the_distribution_says_what_the_mean_square_is() {
    for (method, shape) in METHODS.into_iter().flat_map(|method| [(method, "20x30"), (method, "30x20")]) {
        let tensor = draw::tensor(&format!("{method},gain=3"), shape, "io", DType::F64);
        let values = draw::whole(9, &tensor);
        let mean_square = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
        assert!((mean_square.sqrt() / tensor.distribution().std().unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(tensor.distribution().mean(), Some(0.0));
    }
}
