//! `--like FRAMEWORK` draws what that framework drew when `scripts/golden.py` wrote the files of tests/parity.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Ended, Folder, skipped};
use sha2::{Digest, Sha256};

/// What the program says of a tensor whose bits are not promised.
const CLOSE: &str = "close, not exact";

/// How many differences are shown.
const TOLD: usize = 20;

/// A tensor of a case: its shape as the command line has it, its dtype, and its bytes shortened.
#[derive(Debug, PartialEq)]
struct Wanted {
    shape: String,
    dtype: String,
    /// The first 128 bits of the SHA-256 in hexadecimal; `-` of a close one.
    hash: String,
    /// The bits of its first values.
    head: Vec<u64>,
}

struct Case {
    line: String,
    /// How far values may be apart, of a law that is close by nature.
    tolerance: Option<f64>,
    tensors: BTreeMap<String, Wanted>,
}

impl Case {
    /// `ARGUMENTS = NAME=SHAPE DTYPE HASH BITS,BITS,...; ...`, or `ARGUMENTS = close TOLERANCE; NAME=...`.
    fn of(text: &str) -> Self {
        let (line, drawn) = text.split_once(" = ").unwrap_or_else(|| panic!("not a case: {text}"));
        let mut drawn = drawn.split("; ").peekable();
        let tolerance = drawn.peek().and_then(|first| first.strip_prefix("close ")).map(|text| text.parse().unwrap());
        if tolerance.is_some() {
            drawn.next();
        }
        let tensors = drawn.map(|tensor| {
            let (name, facts) = tensor.split_once('=').unwrap_or_else(|| panic!("not a tensor: {tensor}"));
            let mut facts = facts.split(' ');
            let mut fact = || facts.next().unwrap_or_default().to_string();
            let (shape, dtype, hash, head) = (fact(), fact(), fact(), fact());
            let head = head.split(',').filter(|bits| !bits.is_empty());
            let head = head.map(|bits| u64::from_str_radix(bits, 16).unwrap()).collect();
            (name.to_string(), Wanted { shape, dtype, hash, head })
        });
        Self { line: line.to_string(), tolerance, tensors: tensors.collect() }
    }

    /// Whether the program draws it. A case that is exact elsewhere may be close on this machine.
    fn run(&self, folder: &Folder) -> Outcome {
        let ended = Ended::of(&mut folder.fanin(&format!("{} --format safetensors -o -", self.line)));
        if ended.status != 0 {
            return Outcome::Different(ended.told.trim().to_string());
        }
        let difference = self.difference(&tensors(&ended.stdout));
        match (difference, ended.told.contains(CLOSE)) {
            (None, false) if self.tolerance.is_some() => Outcome::Different(format!("it does not say `{CLOSE}`")),
            (None, _) => Outcome::Same,
            (Some(_), true) if self.tolerance.is_none() => Outcome::CloseHere,
            (Some(told), _) => Outcome::Different(told),
        }
    }

    /// The first thing that is not as wanted.
    fn difference(&self, got: &BTreeMap<String, (Wanted, Vec<u8>)>) -> Option<String> {
        if !self.tensors.keys().eq(got.keys()) {
            return Some(format!("tensors {:?}, not {:?}", got.keys(), self.tensors.keys()));
        }
        self.tensors.iter().find_map(|(name, wanted)| {
            let (got, bytes) = &got[name];
            if (&got.shape, &got.dtype) != (&wanted.shape, &wanted.dtype) {
                return Some(format!("`{name}` is {} {}, not {} {}", got.shape, got.dtype, wanted.shape, wanted.dtype));
            }
            let head = bits(bytes, &wanted.dtype, wanted.head.len());
            let same = match self.tolerance {
                None => got.hash == wanted.hash,
                Some(tolerance) => head.iter().zip(&wanted.head).all(|(one, other)| {
                    let apart = value(*one, &wanted.dtype) - value(*other, &wanted.dtype);
                    apart.abs() <= tolerance
                }),
            };
            let shown = |head: &[u64]| head.iter().fold(String::new(), |text, bits| text + &format!(" {bits:x}"));
            (!same).then(|| match head == wanted.head {
                true => format!("`{name}` begins{} as it should, and differs further on", shown(&head)),
                false => format!("`{name}` begins{}, not{}", shown(&head), shown(&wanted.head)),
            })
        })
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Same,
    /// Not the bits, and the program says so: this machine's mathematical library rounds otherwise.
    CloseHere,
    Different(String),
}

/// The tensors of a safetensors file, each with its bytes.
fn tensors(file: &[u8]) -> BTreeMap<String, (Wanted, Vec<u8>)> {
    let (length, rest) = file.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).unwrap();
    let tensors = header.into_iter().filter(|(name, _)| name != "__metadata__").map(|(name, entry)| {
        let numbers = |key: &str| -> Vec<usize> { serde_json::from_value(entry[key].clone()).unwrap() };
        let (sizes, range) = (numbers("shape"), numbers("data_offsets"));
        let bytes = data[range[0]..range[1]].to_vec();
        let shape = sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        let dtype = entry["dtype"].as_str().unwrap().to_lowercase();
        let hash = Sha256::digest(&bytes)[..16].iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        (name, (Wanted { shape, dtype, hash, head: Vec::new() }, bytes))
    });
    tensors.collect()
}

/// The bits of the first values.
fn bits(bytes: &[u8], dtype: &str, count: usize) -> Vec<u64> {
    let size = match dtype {
        "f64" => 8,
        "f32" => 4,
        _ => 2,
    };
    let value = |bytes: &[u8]| bytes.iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
    bytes.chunks(size).take(count).map(value).collect()
}

/// The number that the bits are.
fn value(bits: u64, dtype: &str) -> f64 {
    let (single, half) = (u32::try_from(bits).unwrap_or(0), u16::try_from(bits).unwrap_or(0));
    match dtype {
        "f64" => f64::from_bits(bits),
        "f32" => f64::from(f32::from_bits(single)),
        "bf16" => half::bf16::from_bits(half).into(),
        "f16" => half::f16::from_bits(half).into(),
        _ => panic!("dtype {dtype}"),
    }
}

/// Every file with its cases; a file without any is a fault.
fn files() -> Vec<(String, Vec<Case>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/parity");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files = paths.iter().map(|path| {
        let (name, text) = (path.file_stem().unwrap().to_string_lossy(), std::fs::read_to_string(path).unwrap());
        let (first, cases) = text.split_once('\n').unwrap();
        assert!(first.starts_with("# ") && first.contains("Python 3"), "{name}: without versions: {first}");
        let cases: Vec<Case> = cases.lines().map(Case::of).collect();
        assert!(!cases.is_empty(), "{name}: no cases");
        (name.into_owned(), cases)
    });
    files.collect()
}

/// What became of every case, on two threads.
fn outcomes(cases: &[Case]) -> Vec<(&Case, Outcome)> {
    let (next, done, folder) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Folder::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = case.run(&folder);
                    done.lock().unwrap().push((case, outcome));
                }
            });
        }
    });
    done.into_inner().unwrap()
}

#[test]
fn every_framework_is_drawn_to_the_bit() {
    let mut different = Vec::new();
    for (name, cases) in files() {
        let outcomes = outcomes(&cases);
        assert_eq!(outcomes.len(), cases.len());
        let close_here = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::CloseHere).count();
        if close_here > 0 {
            skipped(&format!("{name}: {close_here} of {} cases are not exact with this machine's libm", cases.len()));
        }
        different.extend(outcomes.into_iter().filter_map(|(case, outcome)| match outcome {
            Outcome::Different(told) => Some(format!("{name}: fanin {}\n    {told}\n", case.line)),
            Outcome::Same | Outcome::CloseHere => None,
        }));
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different[..different.len().min(TOLD)].concat());
}

#[test]
fn there_are_as_many_cases_as_are_promised() {
    let count: usize = files().iter().map(|(_, cases)| cases.len()).sum();
    assert!(count >= 2000, "{count} cases");
}

#[test]
fn what_differs_is_told() {
    let folder = Folder::new();
    let drawn = folder.done("init identity w=2x2 --dtype f32 --format safetensors -o -");
    let difference = |text: &str| Case::of(&format!("init = {text}")).difference(&tensors(&drawn)).unwrap_or_default();
    let hash = &tensors(&drawn)["w"].0.hash;
    assert_eq!(difference(&format!("w=2x2 f32 {hash} 3f800000,0")), "");
    assert_eq!(difference("close 0.01; w=2x2 f32 - 3f808000,0,0,3f800000"), "");
    for (text, told) in [
        (format!("v=2x2 f32 {hash} 3f800000"), "tensors"),
        (format!("w=4 f32 {hash} 3f800000"), "`w` is 2x2 f32, not 4 f32"),
        (format!("w=2x2 bf16 {hash} 3f80"), "`w` is 2x2 f32, not 2x2 bf16"),
        ("w=2x2 f32 00 3f800001,0".into(), "`w` begins 3f800000 0, not 3f800001 0"),
        ("w=2x2 f32 00 3f800000,0".into(), "`w` begins 3f800000 0 as it should, and differs further on"),
        ("close 0.001; w=2x2 f32 - 3f808000,0".into(), "`w` begins 3f800000 0, not 3f808000 0"),
        ("close 0.001; w=2x2 f32 - 3f800000,7fc00000".into(), "not 3f800000 7fc00000"),
    ] {
        assert!(difference(&text).contains(told), "{text}: {}", difference(&text));
    }
}
