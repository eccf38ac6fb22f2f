//! Products of small matrices with the same bits on every machine: sums in order, nothing fused.

/// The product of a `rows` x `inner` and an `inner` x `columns` matrix, all row-major.
pub fn product(left: &[f64], right: &[f64], [rows, inner, columns]: [usize; 3]) -> Vec<f64> {
    debug_assert!(left.len() == rows * inner && right.len() == inner * columns, "the matrices have these sizes");
    let mut out = vec![0.0; rows * columns];
    for (row, out) in out.chunks_exact_mut(columns.max(1)).enumerate() {
        for (step, factor) in left[row * inner..][..inner].iter().enumerate() {
            for (sum, value) in out.iter_mut().zip(&right[step * columns..][..columns]) {
                *sum += factor * value;
            }
        }
    }
    out
}

/// The transpose of a row-major matrix.
pub fn transposed(matrix: &[f64], [rows, columns]: [usize; 2]) -> Vec<f64> {
    let column = |column| (0..rows).map(move |row| matrix[row * columns + column]);
    (0..columns).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_transposes_are_those_of_the_textbook() {
        let (left, right) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(product(&left, &right, [2, 3, 2]), [4.0, 5.0, 10.0, 11.0]);
        assert_eq!(transposed(&left, [2, 3]), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(product(&[], &[], [0, 3, 0]), [] as [f64; 0]);
    }
}
