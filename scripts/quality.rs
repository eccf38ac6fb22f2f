//! Checks of the native generator that are too slow for the tests; `scripts/quality` runs them.
//!
//! ```text
//! quality stream raw|tensors|seeds     an endless stream of words, for dieharder
//! quality tails 10000000000            normals beyond 3, 4, 5 and 6 sigma against the expected number
//! quality fit 1000000000 [SEED...]     chi-square and Kolmogorov-Smirnov of uniforms and normals
//! ```

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use fanin::generator::{NATIVE, Source, native};
use fanin::plan::{Common, DrawnTensor};
use fanin::statistics::normal;
use fanin::tensor::{DType, Fans, Layout};

const CHUNK: usize = 1 << 16;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["stream", kind] => stream(kind),
        ["tails", count] => {
            tails(count.parse()?);
            Ok(())
        }
        ["fit", count, seeds @ ..] => {
            for seed in if seeds.is_empty() { &["0"] } else { seeds } {
                let (count, seed) = (count.parse()?, seed.parse()?);
                fit("uniform", "uniform:low=0,high=1", count, seed, |x| x);
                fit("normal", "normal:std=1", count, seed, normal::lower);
            }
            Ok(())
        }
        _ => bail!("usage: quality stream raw|tensors|seeds, quality tails COUNT, quality fit COUNT [SEED...]"),
    }
}

/// The numbers of an endless vector.
fn source(expression: &str, dtype: DType, name: &str, seed: u64) -> Result<Box<dyn Source>> {
    let common = Common { dtype: dtype.into(), layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
    let tensor = DrawnTensor::new(name.parse()?, "281474976710656".parse()?, expression, &common)?;
    Ok(native(seed, tensor.spec(), 1))
}

/// The words of the stream, read from a uniform of 2^64 units: two words rounded to 53 bits, so that one word in 2^22 is off by one.
fn words(source: &dyn Source, start: u64, out: &mut [u32]) {
    let mut values = vec![0.0; out.len()];
    source.fill_f64(start, &mut values);
    for (word, value) in out.iter_mut().zip(values) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the upper 32 of 53 bits")]
        let upper = ((value / 4_294_967_296.0).floor() as i64) as u32;
        *word = upper;
    }
}

fn stream(kind: &str) -> Result<()> {
    let open = |name: &str, seed| source("uniform:range=9223372036854775808", DType::F64, name, seed);
    let sources: Vec<Box<dyn Source>> = match kind {
        "raw" => vec![open("weight", 0)?],
        "tensors" => (0..1u32 << 16).map(|number| open(&format!("t{number}"), 0)).collect::<Result<_>>()?,
        "seeds" => (0..1 << 16).map(|seed| open("weight", seed)).collect::<Result<_>>()?,
        _ => bail!("unknown stream `{kind}`"),
    };
    let mut out = io::stdout().lock();
    // One word of each stream in turn, or long runs of a single stream; each is read a tile at a time.
    let run = if sources.len() == 1 { CHUNK } else { 512 };
    let mut drawn = vec![0; run * sources.len()];
    for start in (0..).step_by(run) {
        for (source, run) in sources.iter().zip(drawn.chunks_mut(run)) {
            words(source.as_ref(), start, run);
        }
        let bytes: Vec<u8> = (0..run)
            .flat_map(|turn| drawn.iter().skip(turn).step_by(run))
            .flat_map(|word| word.to_le_bytes())
            .collect();
        if out.write_all(&bytes).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Calls `see` with `count` values, on two threads.
fn draw(expression: &str, count: u64, seed: u64, see: impl Fn(&[f32]) + Sync) {
    let next = AtomicU64::new(0);
    let work = || {
        let source = source(expression, DType::F32, "weight", seed).expect("the expression is valid");
        let mut values = vec![0.0; CHUNK];
        loop {
            let start = next.fetch_add(CHUNK as u64, Ordering::Relaxed);
            if start >= count {
                return;
            }
            source.fill_f32(start, &mut values);
            see(&values);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
}

#[expect(clippy::cast_precision_loss, reason = "counts of 10^10")]
fn tails(count: u64) {
    let count = count.div_ceil(CHUNK as u64) * CHUNK as u64;
    let past: [AtomicU64; 4] = Default::default();
    draw("normal:std=1", count, 0, |values| {
        for (sigma, past) in (3u8..).zip(&past) {
            let limit = f32::from(sigma);
            past.fetch_add(values.iter().filter(|z| z.abs() > limit).count() as u64, Ordering::Relaxed);
        }
    });
    println!("| past | found | expected | standard deviations |\n|---|---|---|---|");
    for (sigma, past) in (3u8..).zip(past) {
        let (found, expected) = (past.into_inner() as f64, 2.0 * normal::upper(f64::from(sigma)) * count as f64);
        println!("| {sigma} sigma | {found} | {expected:.1} | {:+.2} |", (found - expected) / expected.sqrt());
    }
}

/// Chi-square and Kolmogorov-Smirnov over 2^12 bins of equal probability.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of 10^9"
)]
fn fit(name: &str, expression: &str, count: u64, seed: u64, cumulative: fn(f64) -> f64) {
    const BINS: usize = 1 << 12;
    let count = count.div_ceil(CHUNK as u64) * CHUNK as u64;
    let bins: Vec<AtomicU64> = (0..BINS).map(|_| AtomicU64::new(0)).collect();
    draw(expression, count, seed, |values| {
        let mut own = vec![0u64; BINS];
        for &value in values {
            own[((cumulative(value.into()) * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        for (bin, own) in bins.iter().zip(own) {
            bin.fetch_add(own, Ordering::Relaxed);
        }
    });
    let expected = count as f64 / BINS as f64;
    let (mut chi_square, mut sum, mut distance) = (0.0, 0.0, 0f64);
    for (number, bin) in bins.iter().enumerate() {
        let found = bin.load(Ordering::Relaxed) as f64;
        chi_square += (found - expected).powi(2) / expected;
        sum += found;
        distance = distance.max((sum / count as f64 - (number + 1) as f64 / BINS as f64).abs());
    }
    let freedom = (BINS - 1) as f64;
    let excess = (chi_square - freedom) / (2.0 * freedom).sqrt();
    let scaled = distance * (count as f64).sqrt();
    println!("| {name}, seed {seed} | {count} | {excess:+.2} standard deviations | {scaled:.3} (1.95 at 0.001) |");
}
