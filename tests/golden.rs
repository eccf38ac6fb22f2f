//! Golden values: what every scheme draws in every dtype, pinned by a hash and by the first values.
//!
//! A row that is missing fails the test. `FANIN_GOLDEN=add` adds missing rows and never changes one that is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use fanin::generator::{GENERATORS, Generator};
use fanin::plan::{Base, BaseIdentity, Common, DType, Fans, Layout, Seed, Tensor};
use fanin::scheme;
use fanin::writer::Encoder;
use sha2::{Digest, Sha256};

/// Expressions beside the registry's own examples: every way that values are drawn, and every layout that changes it.
const FURTHER: &[(&str, &str, &str)] = &[
    // So small that f16 rounds all to zeros, whose signs are kept.
    ("uniform:range=1e-9", "40x30", "default"),
    ("truncated-normal:std=1e-9", "40x30", "default"),
    ("normal:std=2,mean=-1", "1500", "default"),
    ("uniform:low=0,high=1", "1500", "default"),
    ("uniform:std=0.5,mean=3", "40x30", "default"),
    ("truncated-normal:std=1,low=-0.5,high=3", "40x30", "default"),
    ("truncated-normal:std=1,low=5", "20x10", "default"),
    ("truncated-normal:std=1,high=-1.5", "20x10", "default"),
    ("truncated-normal:std=1,low=0.1,high=0.2", "20x10", "default"),
    ("truncated-normal:std=0.02,low-sigma=-1,high-sigma=2,corrected=true", "40x30", "default"),
    ("he-normal:gain=leaky-relu,slope=0.2,mode=fan-geo-avg", "16x8x3x3", "torch"),
    ("orthogonal:gain=tanh,method=reflectors", "40x30", "default"),
    ("orthogonal:method=reflectors", "30x40", "default"),
    ("orthogonal:method=reflectors", "3x3x20x90", "keras"),
    ("orthogonal", "30x40", "torch"),
    ("orthogonal", "16x8x3x3", "torch"),
    ("orthogonal", "3x12x7", "bio"),
    ("orthogonal", "600x520", "default"),
    ("sparse:density=0.3,std=1", "16x8x3x3", "torch"),
    ("sparse:zeros=0.9", "40x30", "torch"),
    ("spectral:degree=3,distribution=bernoulli", "24x24", "torch"),
    ("spectral:density=0.5,exact=true,distribution=uniform", "2x24x24", "boi"),
    ("spectral:density=0.2,direction=in", "24x24", "default"),
    // A matrix that is often without cycles, and drawn again.
    ("spectral:density=0.005", "20x20", "torch"),
    ("random-sparse:density=0.3,distribution=bernoulli,positive=0.8", "40x30", "torch"),
    ("random-sparse:density=0.3,distribution=uniform", "40x30", "torch"),
    ("random-sparse:degree=4,direction=in", "40x30", "torch"),
    ("dale:excitatory=0.5,ratio=2,degree=4", "24x24", "torch"),
    ("band:density=0,distribution=normal", "24x24", "torch"),
    ("cycle-with-jumps:jump-size=5,radius=0.9", "24x24", "default"),
    ("pseudo-svd:density=0.3,order=descending", "24x24", "torch"),
    ("minimal-input:signs=pi", "40x5", "torch"),
    ("minimal-input:signs=alternating", "5x40", "default"),
    ("lora-a:distribution=normal", "8x40", "torch"),
    ("lora-orthogonal-a", "2x40x6", "bio"),
    ("pissa-a:scaling=2", "8x4", "default"),
    ("pissa-base:rank=3", "8x8", "default"),
    ("olora-b", "4x8", "default"),
];

const SEED: Seed = Seed(42);

fn cases() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    scheme::all().map(|scheme| scheme.example.on("40x30")).chain(FURTHER.iter().copied())
}

/// `expression shape layout dtype` and what is drawn: a hash of all bytes, and the first values in hexadecimal.
fn drawn(generator: &'static Generator) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for (expression, shape, layout) in cases() {
        for dtype in DType::ALL {
            let common = Common { dtype, layout: layout.parse().unwrap(), fans: Fans::default() };
            let (name, sizes) = ("weight".parse().unwrap(), shape.parse().unwrap());
            let tensor = Tensor::from_base(name, sizes, expression, &common, Some(&base())).unwrap();
            let source = generator.open(SEED, &tensor, 2);
            let mut encoder = Encoder::default();
            let count = usize::try_from(tensor.shape.count()).unwrap();
            let bytes = encoder.values(source.as_ref(), dtype, 0, count);
            let mut line: String = Sha256::digest(bytes)[..16].iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            for value in bytes.chunks(usize::try_from(dtype.size()).unwrap()).take(3) {
                line.push(' ');
                value.iter().rev().for_each(|byte| {
                    let _ = write!(line, "{byte:02x}");
                });
            }
            rows.insert(format!("{} {shape} {layout} {dtype}", tensor.expression), line);
        }
    }
    rows
}

/// What the examples that start from a weight start from.
fn base() -> Arc<Base> {
    let values = (1..=64).map(|n| f64::from(n * n % 37) / 8.0 - 2.0).collect();
    let identity = BaseIdentity { name: "weight".into(), sha256: String::new() };
    Arc::new(Base { identity, shape: "8x8".parse().unwrap(), values })
}

fn path(generator: &Generator) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{}.txt", generator.name))
}

fn recorded(generator: &Generator) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path(generator)).unwrap_or_default();
    let rows = text.lines().filter_map(|line| line.split_once(" = "));
    rows.map(|(case, values)| (case.to_string(), values.to_string())).collect()
}

#[test]
fn every_scheme_draws_the_values_that_it_has_always_drawn() {
    for generator in GENERATORS {
        let (drawn, mut recorded) = (drawn(generator), recorded(generator));
        if std::env::var("FANIN_GOLDEN").as_deref() == Ok("add") {
            for (case, values) in &drawn {
                recorded.entry(case.clone()).or_insert_with(|| values.clone());
            }
            let lines: Vec<String> = recorded.iter().map(|(case, values)| format!("{case} = {values}\n")).collect();
            fs::create_dir_all(path(generator).parent().unwrap()).unwrap();
            fs::write(path(generator), lines.concat()).unwrap();
        }
        for (case, values) in &drawn {
            match recorded.get(case) {
                Some(golden) => assert_eq!(values, golden, "{}: {case}", generator.name),
                None => panic!("{}: `{case}` has no golden values; FANIN_GOLDEN=add adds them", generator.name),
            }
        }
    }
}

#[test]
fn far_elements_high_seeds_and_other_names_have_their_values_too() {
    let common = Common { dtype: DType::F32, layout: Layout::default(), fans: Fans::default() };
    let rows = [
        ("normal:std=1", "重み", u64::MAX, 1 << 47, NORMALS),
        ("uniform:low=0,high=1", "model.layers.31.mlp.weight", 1 << 32, (1 << 40) + 7, UNIFORMS),
    ];
    for (expression, name, seed, start, expected) in rows {
        let tensor = Tensor::new(name.parse().unwrap(), "281474976710656".parse().unwrap(), expression, &common);
        let mut values = [0.0; 4];
        GENERATORS[0].open(Seed(seed), &tensor.unwrap(), 1).singles(start, &mut values);
        assert_eq!(values.map(f32::to_bits), expected, "{expression} {name}");
    }
}

const NORMALS: [u32; 4] = [3192177473, 3195752087, 3203632835, 3206352564];
const UNIFORMS: [u32; 4] = [1053621207, 1034826660, 1046530986, 1003176832];

#[test]
fn no_golden_value_is_without_a_case() {
    for generator in GENERATORS {
        let drawn = drawn(generator);
        for case in recorded(generator).keys() {
            assert!(drawn.contains_key(case), "{}: `{case}` is not drawn any more", generator.name);
        }
    }
}

#[test]
fn a_plain_layout_is_not_part_of_the_words() {
    // The layout only moves a law's scale: the same words are found in every one.
    let draw = |layout: &str| {
        let common = Common { dtype: DType::F32, layout: layout.parse::<Layout>().unwrap(), fans: Fans::default() };
        let tensor = Tensor::new("w".parse().unwrap(), "64x64".parse().unwrap(), "he-normal", &common).unwrap();
        let mut values = vec![0.0; 4096];
        GENERATORS[0].open(SEED, &tensor, 1).singles(0, &mut values);
        values
    };
    assert_eq!(draw("torch"), draw("default"));
}
