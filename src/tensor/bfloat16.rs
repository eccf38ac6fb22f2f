//! Rounding to bfloat16, to nearest, ties to even.

use half::bf16;
use pulp::Simd;

use super::number::sticky;

/// Rounds a double; infinite if it overflows.
pub(super) fn round_to_bfloat16(value: f64) -> bf16 {
    bf16::from_f64(sticky(value))
}

/// Rounds singles. No value may overflow; distributions that fit the dtype do not. A NaN keeps its
/// upper half, since rounding never carries into it.
#[inline(always)]
pub fn to_bfloat16<S: Simd>(_: S, singles: &[f32], out: &mut [bf16]) {
    // With AVX-512 (and NEON) the halves of words, which take fewer operations; elsewhere they take more than whole words.
    if S::REGISTER_COUNT >= 32 {
        for (out, &[first, second]) in out.iter_mut().zip(bytemuck::cast_slice::<f32, [u16; 2]>(singles)) {
            let [low, high] = if cfg!(target_endian = "big") { [second, first] } else { [first, second] };
            let up = low.saturating_add(high & 1) > 0x8000;
            *out = bf16::from_bits(high.wrapping_add(u16::from(up)));
        }
        return;
    }
    for (out, single) in out.iter_mut().zip(singles) {
        let bits = single.to_bits();
        let even = bits >> 16 & 1;
        *out = bf16::from_bits((bits.wrapping_add(0x7fff + even) >> 16) as u16);
    }
}
