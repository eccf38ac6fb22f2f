//! Memory sizes of distributions.

/// The bytes of doubles whose number is the sum of these products; saturates at `u64::MAX`.
pub fn bytes_of(products: &[&[u64]]) -> u64 {
    let product = |sizes: &&[u64]| sizes.iter().fold(8, |bytes: u64, size| bytes.saturating_mul(*size));
    products.iter().map(product).fold(0, u64::saturating_add)
}

/// The sizes, for [`bytes_of`], of the workspace of [`RandomStreams::orthonormal`](super::RandomStreams::orthonormal) besides the matrix:
/// two panels of 64 columns of length `longer`.
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
