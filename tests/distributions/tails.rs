//! The far tails of the normal distribution, over 2^30 numbers, and the rare radii that are drawn with further words.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use fanin::tensor::DType;

use crate::draw;

const COUNT: u64 = 1 << 30;
const CHUNK: u64 = 1 << 16;
const SEED: u64 = 11;

/// Elements of a tile, of which the second half completes the pairs of the first.
const TILE: usize = 512;

/// Thresholds in sigma; those of the second row are what the first would be were the numbers 1 % too wide.
const THRESHOLDS: [[f64; 4]; 2] = [[3.0, 4.0, 5.0, 6.0], [3.0 / 1.01, 4.0 / 1.01, 5.0 / 1.01, 6.0 / 1.01]];

/// What a scan found.
#[derive(Default)]
struct Scan {
    /// How many numbers lie beyond each threshold, below and above.
    beyond: [[[u64; 2]; 4]; 2],
    /// The first elements of pairs whose radius word is near 0 (far out), and near its end (close to the mean).
    far: Vec<u64>,
    near: Vec<u64>,
}

impl Scan {
    fn observe(&mut self, start: u64, values: &[f32]) {
        for &value in values.iter().filter(|value| value.abs() > 2.9) {
            let side = usize::from(value > 0.0);
            for (counts, thresholds) in self.beyond.iter_mut().zip(THRESHOLDS) {
                for (count, threshold) in counts.iter_mut().zip(thresholds) {
                    count[side] += u64::from(f64::from(value.abs()) > threshold);
                }
            }
        }
        for (first, tile) in (start..).step_by(TILE).zip(values.chunks_exact(TILE)) {
            let (cosines, sines) = tile.split_at(TILE / 2);
            for ((index, x), y) in (first..).zip(cosines).zip(sines) {
                let square = x * x + y * y;
                // -2 ln u: u = 2^17 / 2^32, and u = 1 - 2^8 / 2^32.
                if square > 20.7944 {
                    self.far.push(index);
                } else if square < 1.192e-7 {
                    self.near.push(index);
                }
            }
        }
    }

    fn add(mut self, other: Self) -> Self {
        let counts = self.beyond.as_flattened_mut().as_flattened_mut();
        for (count, more) in counts.iter_mut().zip(other.beyond.as_flattened().as_flattened()) {
            *count += more;
        }
        self.far.extend(other.far);
        self.near.extend(other.near);
        self
    }
}

static SCAN: LazyLock<Scan> = LazyLock::new(|| {
    let source = draw::open(SEED, &draw::tensor("normal:std=1", "1073741824", "io", DType::F32));
    let next = AtomicU64::new(0);
    let scan = || {
        let (mut scan, mut values) = (Scan::default(), vec![0.0; CHUNK as usize]);
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            if start >= COUNT {
                return scan;
            }
            source.fill_f32(start, &mut values);
            scan.observe(start, &values);
        }
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(scan), scope.spawn(scan)];
        threads.into_iter().map(|thread| thread.join().unwrap()).fold(Scan::default(), Scan::add)
    })
});

/// Whether `count` lies inside the middle 99.9 % of Poisson's distribution.
fn is_plausible(count: u64, mean: f64) -> bool {
    let chance = |k: u64| (k as f64 * mean.ln() - mean - libm::lgamma(k as f64 + 1.0)).exp();
    let reach = 10 + (10.0 * mean.sqrt()) as u64;
    let (from, to) = ((mean as u64).saturating_sub(reach), mean as u64 + reach);
    let below: f64 = (from..=count.min(to)).map(chance).sum();
    let above: f64 = (count.max(from)..=to).map(chance).sum();
    below > 0.0005 && above > 0.0005
}

/// How many numbers are expected beyond a threshold on one side.
fn expected(sigma: f64) -> f64 {
    COUNT as f64 * 0.5 * libm::erfc(sigma / 2f64.sqrt())
}

#[test]
fn the_tails_past_3_4_5_and_6_sigma_have_their_frequency() {
    for (sigma, counts) in THRESHOLDS[0].into_iter().zip(SCAN.beyond[0]) {
        for count in counts {
            assert!(is_plausible(count, expected(sigma)), "{count} past {sigma} sigma, not {}", expected(sigma));
        }
    }
}

#[test]
fn tails_that_are_one_percent_too_wide_are_found() {
    for (sigma, counts) in THRESHOLDS[0].into_iter().zip(SCAN.beyond[1]).take(2) {
        for count in counts {
            assert!(!is_plausible(count, expected(sigma)), "{count} past {sigma} sigma passed");
        }
    }
}

#[test]
fn radii_that_take_further_words_have_their_frequency_and_agree_in_double_precision() {
    let pairs = COUNT as f64 / 2.0;
    assert!(is_plausible(SCAN.far.len() as u64, pairs * 2f64.powi(-15)), "{} far", SCAN.far.len());
    assert!(is_plausible(SCAN.near.len() as u64, pairs * 2f64.powi(-24)), "{} near", SCAN.near.len());
    let [single, double] = [DType::F32, DType::F64]
        .map(|dtype| draw::open(SEED, &draw::tensor("normal:std=1", "1073741824", "io", dtype)));
    let half = TILE as u64 / 2;
    for index in SCAN.far.iter().take(2000).chain(&SCAN.near).flat_map(|&index| [index, index + half]) {
        let single = f64::from(draw::singles(&*single, index, 1)[0]);
        let double = draw::doubles(&*double, index, 1)[0];
        let allowed = 2f64.powi(-20) * double.abs().max(1.0);
        assert!((single - double).abs() <= allowed, "element {index}: {single} and {double}");
    }
}
