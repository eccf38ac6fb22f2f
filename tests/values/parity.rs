//! `--like FRAMEWORK` draws what that framework drew when `scripts/golden.py` wrote the files of tests/data/parity.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use crate::common::{Ended, Folder};

/// The note of a tensor whose distribution is only approximate.
const CLOSE: &str = "approximate";

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
    /// How far values may be apart, of a distribution that is close by nature.
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

    /// Draws it; returns the first difference.
    fn run(&self, folder: &Folder) -> Option<String> {
        let ended = Ended::of(&mut folder.fanin(&format!("{} --format safetensors -o -", self.line)));
        if ended.status != 0 {
            return Some(ended.stderr.trim().to_string());
        }
        let is_close = ended.stderr.contains(CLOSE);
        let note = || format!("its note `{CLOSE}` is {}", if is_close { "wrong" } else { "missing" });
        self.difference(&tensors(&ended.stdout)).or_else(|| (is_close != self.tolerance.is_some()).then(note))
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

/// The files of tests/data/parity with that ending.
fn recorded(ending: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/parity");
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    paths.sort();
    paths
}

/// Every file with its cases; a file without any is a fault.
fn files() -> Vec<(String, Vec<Case>)> {
    let files = recorded("txt").into_iter().map(|path| {
        let (name, text) = (path.file_stem().unwrap().to_string_lossy(), std::fs::read_to_string(&path).unwrap());
        let (first, cases) = text.split_once('\n').unwrap();
        assert!(first.starts_with("# ") && first.contains("Python 3"), "{name}: without versions: {first}");
        let cases: Vec<Case> = cases.lines().map(Case::of).collect();
        assert!(!cases.is_empty(), "{name}: no cases");
        (name.into_owned(), cases)
    });
    files.collect()
}

/// The cases that differ, with the difference; drawn on two threads.
fn different(cases: &[Case]) -> Vec<(&Case, String)> {
    let (next, found, folder) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Folder::new());
    for recipe in recorded("toml") {
        folder.write(&recipe.file_name().unwrap().to_string_lossy(), std::fs::read(&recipe).unwrap());
    }
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = case.run(&folder) {
                        found.lock().unwrap().push((case, difference));
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn every_framework_is_drawn_to_the_bit() {
    let mut all = Vec::new();
    for (name, cases) in files() {
        let told = |(case, difference): (&Case, String)| format!("{name}: fanin {}\n    {difference}\n", case.line);
        all.extend(different(&cases).into_iter().map(told));
    }
    assert!(all.is_empty(), "{} differ:\n{}", all.len(), all[..all.len().min(TOLD)].concat());
}

#[test]
fn there_are_as_many_cases_as_are_promised() {
    let count: usize = files().iter().map(|(_, cases)| cases.len()).sum();
    assert!(count >= 2000, "{count} cases");
}

/// The layers of a recipe, and the modules that torch has in their place.
const LAYERS: &[(&str, &str)] = &[
    (r#"layer = "dense", in = 3, out = 5"#, "Linear a=5x3"),
    (r#"layer = "conv2d", in = 8, out = 6, kernel = [3, 2], groups = 2"#, "Conv2d:groups=2 a=6x4x3x2"),
    (r#"layer = "conv_transpose1d", in = 4, out = 6, kernel = 3, groups = 2"#, "ConvTranspose1d:groups=2 a=4x3x3"),
    (r#"layer = "embedding", in = 7, out = 3"#, "Embedding a=7x3"),
    (r#"layer = "rnn", in = 3, out = 5, bias = false"#, "RNN:bias=false a=5x3"),
    (r#"layer = "lstm", in = 3, out = 4, layers = 2, bidirectional = true"#, "LSTM:layers=2,bidirectional=true a=16x3"),
    (r#"layer = "gru", in = 3, out = 4"#, "GRU a=12x3"),
    (r#"layer = "bilinear", in = [3, 4], out = 2"#, "Bilinear a=2x3x4"),
    (r#"layer = "multihead_attention", size = 6"#, "MultiheadAttention a=18x6"),
];

#[test]
fn the_layers_of_a_recipe_draw_what_modules_draw() {
    let folder = Folder::new();
    for (layer, module) in LAYERS {
        folder.write("r.toml", format!("like = \"torch\"\nseed = 7\n[tensors]\na = {{ {layer} }}\n"));
        let recipe = folder.done("model r.toml --format safetensors -o -");
        let module = folder.done(&format!("init torch.nn.{module} --like torch --seed 7 --format safetensors -o -"));
        assert!(tensors(&module) == tensors(&recipe), "{layer}");
    }
    // One after the other, the second begins where the first ends.
    folder.write("r.toml", "like = \"torch\"\n[tensors]\na = { layer = \"gru\", in = 3, out = 5 }\nb = { layer = \"dense\", in = 5, out = 1 }\n");
    let recipe = tensors(&folder.done("model r.toml --format safetensors -o -"));
    let alone = tensors(&folder.done("init torch.nn.Linear b=1x5 --like torch --format safetensors -o -"));
    assert!(recipe["b.weight"] != alone["b.weight"]);
    // 15 x 3 and 15 x 5 weights and 30 biases, each a word of the engine.
    let after = tensors(&folder.done("init torch.uniform_ a=150 b.weight=1x5 --like torch --format safetensors -o -"));
    let in_range = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let (drawn, unit) = (in_range(&recipe["b.weight"].1), in_range(&after["b.weight"].1));
    assert!((drawn - (2.0 * unit - 1.0) / 5f32.sqrt()).abs() < 1e-6, "{drawn} {unit}");
}

#[test]
fn a_module_that_does_not_fit_is_refused() {
    let folder = Folder::new();
    for (line, message) in [
        ("init torch.nn.LSTM 17x3 --like torch", "weight_ih_l0, 4 hidden x in"),
        ("init torch.nn.Conv2d 16x8x5 --like torch", "out x in/groups x kernel, such as 32x16x3x3"),
        ("init torch.nn.MultiheadAttention 64x64 --like torch", "3 size x size"),
        ("init torch.nn.GRU:gates=3 12x3 --like torch", "unknown parameter `gates`"),
        ("init torch.nn.GRU:layers=1000000 12x3 --like torch", "at most 2^16"),
        ("init torch.nn.GRU:layers 12x3 --like torch", "`layers` is not `key=value`"),
        ("init torch.nn.Linear 5x3 --like torch --layout io", "needs layout `torch`"),
        ("init torch.nn.Linear 5x3 --like torch --fan-in 3", "--fan-in"),
        ("init torch.nn.Linear 5x3 --like jax", "is a module of torch, which jax cannot draw"),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("{line} -o w.npz")));
        assert!(ended.is_refusal() && ended.stderr.contains(message), "{line}: {}", ended.stderr);
    }
    // The scheme draws a single tensor.
    let names: Vec<String> =
        tensors(&folder.done("init fan-in-uniform w=5x3 --like torch --format safetensors -o -")).into_keys().collect();
    assert_eq!(names, ["w"]);
}

#[test]
fn differences_are_reported() {
    let folder = Folder::new();
    let drawn = folder.done("init identity w=2x2 --dtype f32 --format safetensors -o -");
    let difference = |text: &str| Case::of(&format!("init = {text}")).difference(&tensors(&drawn)).unwrap_or_default();
    let hash = &tensors(&drawn)["w"].0.hash;
    assert_eq!(difference(&format!("w=2x2 f32 {hash} 3f800000,0")), "");
    assert_eq!(difference("close 0.01; w=2x2 f32 - 3f808000,0,0,3f800000"), "");
    for (text, message) in [
        (format!("v=2x2 f32 {hash} 3f800000"), "tensors"),
        (format!("w=4 f32 {hash} 3f800000"), "`w` is 2x2 f32, not 4 f32"),
        (format!("w=2x2 bf16 {hash} 3f80"), "`w` is 2x2 f32, not 2x2 bf16"),
        ("w=2x2 f32 00 3f800001,0".into(), "`w` begins 3f800000 0, not 3f800001 0"),
        ("w=2x2 f32 00 3f800000,0".into(), "`w` begins 3f800000 0 as it should, and differs further on"),
        ("close 0.001; w=2x2 f32 - 3f808000,0".into(), "`w` begins 3f800000 0, not 3f808000 0"),
        ("close 0.001; w=2x2 f32 - 3f800000,7fc00000".into(), "not 3f800000 7fc00000"),
    ] {
        assert!(difference(&text).contains(message), "{text}: {}", difference(&text));
    }
}
