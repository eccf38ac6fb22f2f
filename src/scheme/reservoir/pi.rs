//! The decimal digits of pi.

/// The base of a limb.
const BASE: u64 = 1_000_000_000;

/// The first `count` digits of pi after the point, by Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239).
pub(super) fn digits(count: usize) -> Vec<u8> {
    // A limb before the point, and two more than needed, for what is cut off.
    let limbs = count / 9 + 4;
    let mut sum = arctangent(5, 16, limbs);
    let other = arctangent(239, 4, limbs);
    subtract(&mut sum, &other);
    let digits = sum[1..].iter().flat_map(|limb| (0..9).rev().map(move |place| limb / 10u64.pow(place) % 10));
    digits.take(count).map(|digit| u8::try_from(digit).unwrap_or_default()).collect()
}

/// factor * arctan(1 / x) as limbs, the integer part first: the sum of (-1)^k factor / ((2k + 1) x^(2k + 1)).
fn arctangent(x: u64, factor: u64, limbs: usize) -> Vec<u64> {
    let mut power = vec![0; limbs];
    power[0] = factor;
    divide(&mut power, x);
    let mut sum = power.clone();
    for number in 1u64.. {
        divide(&mut power, x * x);
        if power.iter().all(|&limb| limb == 0) {
            break;
        }
        let mut term = power.clone();
        divide(&mut term, 2 * number + 1);
        if number % 2 == 1 { subtract(&mut sum, &term) } else { add(&mut sum, &term) }
    }
    sum
}

fn divide(number: &mut [u64], divisor: u64) {
    let mut rest = 0;
    for limb in number {
        let whole = rest * BASE + *limb;
        *limb = whole / divisor;
        rest = whole % divisor;
    }
}

fn add(number: &mut [u64], other: &[u64]) {
    let mut carry = 0;
    for (limb, &other) in number.iter_mut().zip(other).rev() {
        let sum = *limb + other + carry;
        (*limb, carry) = (sum % BASE, sum / BASE);
    }
}

/// Subtracts a number that is not larger.
fn subtract(number: &mut [u64], other: &[u64]) {
    let mut borrowed = 0;
    for (limb, &other) in number.iter_mut().zip(other).rev() {
        let whole = *limb + BASE - other - borrowed;
        (*limb, borrowed) = (whole % BASE, u64::from(whole < BASE));
    }
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn the_digits_are_those_of_pi() {
        let text = |count| digits(count).iter().map(ToString::to_string).collect::<String>();
        assert_eq!(text(50), "14159265358979323846264338327950288419716939937510");
        for count in [0, 1, 8, 9, 10] {
            assert_eq!(text(count), text(50)[..count]);
        }
        // The six nines at digit 762, and the thousandth.
        assert_eq!(text(1000)[761..767], *"999999");
        assert_eq!(text(1000)[990..], *"2164201989");
    }
}
