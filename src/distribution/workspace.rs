//! Sizes of what distributions keep in memory.

/// The bytes of as many doubles as the sum of these products of sizes; `u64::MAX` if they are more.
pub fn bytes_of(products: &[&[u64]]) -> u64 {
    let product = |sizes: &&[u64]| sizes.iter().fold(8, |bytes: u64, size| bytes.saturating_mul(*size));
    products.iter().map(product).fold(0, u64::saturating_add)
}

/// The sizes, for [`bytes_of`], of what [`RandomStreams::orthonormal`](super::RandomStreams::orthonormal) takes beside a matrix of columns
/// of that length: two panels of 64 columns, which are reflected at once.
pub fn panels(longer: u64) -> [u64; 2] {
    [2 * 64, longer]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_beyond_64_bits_do_not_overflow() {
        assert_eq!(bytes_of(&[&[2, 3], &[5]]), 88);
        assert_eq!(bytes_of(&[&[1 << 40, 1 << 40], &[1]]), u64::MAX);
    }
}
