//! Golden values: what every scheme draws in every dtype, pinned by a hash and by the first values.
//!
//! A row that is missing fails the test. `FANIN_GOLDEN=add` adds missing rows and never changes one that is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use fanin::generator::{GENERATORS, Generator, NATIVE, native};
use fanin::plan::{Common, DrawnTensor};
use fanin::scheme;
use fanin::tensor::{Base, DType, Fans, Layout, TensorIdentity};
use fanin::writer::Encoder;
use sha2::{Digest, Sha256};

/// More expressions than the registry's examples: every method of drawing, and every layout that changes it.
const EXTRA_CASES: &[(&str, &str, &str)] = &[
    // So small that f16 rounds all to zeros, which keep their signs.
    ("uniform:range=1e-9", "40x30", "io"),
    ("truncated-normal:std=1e-9", "40x30", "io"),
    ("normal:std=2,mean=-1", "1500", "io"),
    ("uniform:low=0,high=1", "1500", "io"),
    ("uniform:std=0.5,mean=3", "40x30", "io"),
    ("truncated-normal:std=1,low=-0.5,high=3", "40x30", "io"),
    ("truncated-normal:std=1,low=5", "20x10", "io"),
    ("truncated-normal:std=1,high=-1.5", "20x10", "io"),
    ("truncated-normal:std=1,low=0.1,high=0.2", "20x10", "io"),
    ("truncated-normal:std=0.02,low-sigma=-1,high-sigma=2,corrected=true", "40x30", "io"),
    ("he-normal:gain=leaky-relu,slope=0.2,mode=fan-geo-avg", "16x8x3x3", "torch"),
    ("orthogonal:gain=tanh,method=householder", "40x30", "io"),
    ("orthogonal:method=householder", "30x40", "io"),
    ("orthogonal:method=householder", "3x3x20x90", "keras"),
    ("orthogonal", "30x40", "torch"),
    ("orthogonal", "16x8x3x3", "torch"),
    ("orthogonal", "3x12x7", "bio"),
    ("orthogonal", "600x520", "io"),
    ("sparse:density=0.3,std=1", "16x8x3x3", "torch"),
    ("sparse:zeros=0.9", "40x30", "torch"),
    ("sparse:nonzeros=3,unit=input", "16x8x3x3", "torch"),
    ("sparse:density=0.3,std=0.5,mean=1", "40x30", "io"),
    ("sparse-bernoulli:density=0.3,mean=1", "40x30", "io"),
    ("scaled-orthogonal:layers=12,method=householder", "16x8x3x3", "torch"),
    ("delta-orthogonal:gain=relu", "12x4x4", "torch"),
    ("delta-orthogonal:groups=2", "12x4x3x3", "torch"),
    ("conv-orthogonal", "4x9x16", "keras"),
    ("conv-orthogonal:groups=2", "12x4x3x3", "torch"),
    ("conv-orthogonal:gain=2", "2x2x2x3x4", "keras"),
    ("conv-orthogonal", "1x3x4", "keras"),
    ("convolution-aware", "6x7x5", "torch"),
    ("convolution-aware:noise=0.1", "12x4x3x4", "torch"),
    ("convolution-aware", "1x1x4x6", "keras"),
    ("convolution-aware:groups=2", "2x3x4x2x6", "keras"),
    ("orthogonal-random-features:norms=equal", "30x12", "torch"),
    ("orthogonal-random-features:std=0.5", "5x12", "torch"),
    ("skew-symmetric:angles=cayley", "8x8", "torch"),
    ("skew-symmetric:angles=haar", "8x8", "io"),
    ("skew-symmetric:angles=haar", "3x5x5", "bio"),
    ("skew-symmetric:angles=normal", "9x9", "io"),
    ("skew-symmetric:angles=normal-squeeze", "9x9", "io"),
    ("glorot-orthogonal", "16x8x3x3", "torch"),
    ("nguyen-widrow", "16x8x3x3", "torch"),
    ("nguyen-widrow:heads=4", "40x30", "torch"),
    ("lstm-bias:forget=2,gates=gifo,interleaved=true", "2x32", "io"),
    ("chrono:t-max=10,gates=iofg", "2x32", "io"),
    ("chrono:t-max=10,gates=gifo,interleaved=true", "32", "io"),
    ("chrono-gru:t-max=10,gates=zrn,update=renew", "2x24", "io"),
    ("hippo-legs:part=b", "16", "io"),
    ("hippo-legt:scale=2,transposed=true", "2x8x8", "io"),
    ("hippo-lmu:part=b", "2x16", "io"),
    ("hippo-glagt:alpha=0.3,beta=0.25", "24x24", "io"),
    ("hippo-glagt:alpha=-0.6,beta=2", "24", "io"),
    ("hippo-fourier:part=b", "16x1", "io"),
    ("hippo-diagonal", "3x5x5", "io"),
    ("s4d-real:part=log-real", "16", "io"),
    ("s4d-lin:part=real", "16", "io"),
    ("mamba2-a:low=0.5,high=2", "30", "io"),
    ("mamba-dt:dt-min=0.00001,dt-max=1", "30", "io"),
    ("mamba-dt-proj", "64x8", "torch"),
    ("mamba-dt-proj:distribution=constant", "64x8", "torch"),
    ("lru-nu:r-min=0.9,r-max=0.999", "30", "io"),
    ("lru-theta:max-phase=0.314", "30", "io"),
    ("rwkv-decay:low=-6,high=-1,layer=3,layers=24", "64", "io"),
    ("rwkv-mix:part=r,layer=3,layers=24", "64", "io"),
    ("constant-list:1/0.1/-2e-5,rest=first", "4x2", "io"),
    ("constant-list:1/0.1/-2e-5,rest=last", "4x2", "io"),
    ("constant-list:1/0.1/-2e-5,rest=cycle", "4x3", "io"),
    ("laplace:scale=2,mean=-1", "40x30", "io"),
    ("gamma:shape=0.3,scale=2", "40x30", "io"),
    ("gamma:shape=1,scale=2", "40x30", "io"),
    ("student-t:dof=1,scale=0.001,limit=10", "40x30", "io"),
    ("student-t:dof=1.5,scale=0.01,limit=10", "40x30", "io"),
    ("student-t:dof=20,scale=0.01", "40x30", "io"),
    ("cauchy:scale=1e-12,median=3", "40x30", "io"),
    ("bernoulli:p=0.9,value=0.1,other=0", "40x30", "io"),
    ("unit-ball:0.5", "3x3x20x9", "keras"),
    ("unit-sphere", "16x8x3x3", "torch"),
    ("positive-unit-ball", "3x12x7", "bio"),
    ("he-normal:gain=gelu", "40x30", "io"),
    ("identity", "40x30", "io"),
    ("identity:gain=0.5,shift-in=-1,shift-out=2", "12x8x3x4", "torch"),
    ("identity:centre=every", "3x4x12x8", "keras"),
    ("identity", "3x12x7", "bio"),
    ("dirac:groups=4", "16x3x4x4", "torch"),
    ("zero-init", "40x30", "torch"),
    ("zero-init", "3x4x12x20", "keras"),
    ("bilinear:centre=mxnet,sheared=true", "2x3x5x5", "torch"),
    ("linear-upsampling", "5x5x5x3x3", "keras"),
    ("linear-downsampling", "6x1x3", "torch"),
    ("icnr:scale=3,shuffle=depth-to-space,distribution=uniform", "3x3x4x18", "keras"),
    ("icnr:std=0.1", "8x5x3", "torch"),
    ("embedding:std=0.02,padding=3", "40x30", "io"),
    ("sinusoidal-positions:order=concatenated,endpoint=true", "50x16", "io"),
    ("sinusoidal-positions:order=concatenated,endpoint=true,padding=1", "5x16", "io"),
    ("arange:start=2,step=0.5", "3x5", "io"),
    ("geometric-sequence:start=3,ratio=-0.9", "3x5", "io"),
    ("relative-position-index:height=2", "6x6", "io"),
    ("deformable-offsets:heads=4,points=1/3/2", "48", "io"),
    ("rg-lru:r-min=0.5,r-max=0.6", "30", "io"),
    ("stft:side=imag,window=blackman,scaling=spectrum,periodic=true", "70x1x33", "keras"),
    ("t-fixup:layers=6,part=embedding", "40x30", "io"),
    ("deepnorm:encoder=12,decoder=6,part=encoder", "40x30", "io"),
    ("glorot-normal:pool=4", "16x8x3x3", "torch"),
    ("variance-scaling:corrected=false", "40x30", "io"),
    ("rnn-uniform:hidden=10", "40x30", "io"),
    ("mimetic:heads=2,parts=2,alpha=0.5", "16x32", "keras"),
    ("spectral:degree=3,distribution=bernoulli", "24x24", "torch"),
    ("spectral:density=0.5,exact=true,distribution=uniform", "2x24x24", "boi"),
    ("spectral:density=0.2,direction=in", "24x24", "io"),
    // A matrix that is often without cycles, and drawn again.
    ("spectral:density=0.005", "20x20", "torch"),
    ("random-sparse:density=0.3,distribution=bernoulli,positive=0.8", "40x30", "torch"),
    ("random-sparse:density=0.3,distribution=uniform", "40x30", "torch"),
    ("random-sparse:degree=4,direction=in", "40x30", "torch"),
    ("dale:excitatory=0.5,ratio=2,degree=4", "24x24", "torch"),
    ("band:density=0,distribution=normal", "24x24", "torch"),
    ("cycle-with-jumps:jump-size=5,radius=0.9", "24x24", "io"),
    ("line:backward=0.01,radius=0.4", "24x24", "torch"),
    ("line:backward=0.001,shift=2,backward-shift=3,radius=0.9", "30x30", "torch"),
    ("pseudo-svd:density=0.3,order=descending", "24x24", "torch"),
    ("minimal-input:signs=pi", "40x5", "torch"),
    ("minimal-input:signs=alternating", "5x40", "io"),
    ("lora-a:distribution=normal", "8x40", "torch"),
    ("lora-orthogonal-a", "2x40x6", "bio"),
    ("pissa-a:scaling=2", "8x4", "io"),
    ("pissa-base:rank=3", "8x8", "io"),
    ("olora-b", "4x8", "io"),
];

const SEED: u64 = 42;

fn cases() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    scheme::all().map(|scheme| scheme.example.on("40x30")).chain(EXTRA_CASES.iter().copied())
}

/// `expression shape layout dtype` and what is drawn: a hash of all bytes, and the first values in hexadecimal.
fn drawn() -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for (expression, shape, layout) in cases() {
        for dtype in DType::ALL {
            let common = Common {
                dtype: dtype.into(),
                layout: layout.parse().unwrap(),
                fans: Fans::default(),
                generator: NATIVE,
            };
            let (name, sizes) = ("weight".parse().unwrap(), shape.parse().unwrap());
            let tensor = DrawnTensor::from_base(name, sizes, expression, &common, Some(&base())).unwrap();
            let source = native(SEED, tensor.spec(), 2);
            let mut encoder = Encoder::default();
            let count = usize::try_from(tensor.shape().count()).unwrap();
            encoder.values(source.as_ref(), dtype.into(), 0, count);
            let bytes = encoder.bytes();
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
            rows.insert(format!("{} {shape} {layout} {dtype}", tensor.expression()), line);
        }
    }
    rows
}

/// What the examples that start from a weight start from.
fn base() -> Arc<Base> {
    let values = (1..=64).map(|n| f64::from(n * n % 37) / 8.0 - 2.0).collect();
    let identity =
        TensorIdentity { dtype: "f64".into(), name: "weight".into(), sha256: String::new(), shape: vec![8, 8] };
    Arc::new(Base { identity, shape: "8x8".parse().unwrap(), values })
}

/// The generators of this program's own numbers; tests/data/parity guards those of frameworks.
fn own() -> impl Iterator<Item = &'static Generator> {
    GENERATORS.iter().filter(|generator| generator.framework.is_none())
}

fn path(generator: &Generator) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden").join(format!("{}.txt", generator.name))
}

fn recorded(generator: &Generator) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path(generator)).unwrap_or_default();
    let rows = text.lines().filter_map(|line| line.split_once(" = "));
    rows.map(|(case, values)| (case.to_string(), values.to_string())).collect()
}

#[test]
fn every_scheme_draws_the_values_that_it_has_always_drawn() {
    for generator in own() {
        let (drawn, mut recorded) = (drawn(), recorded(generator));
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
    let common =
        Common { dtype: DType::F32.into(), layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
    let rows = [
        ("normal:std=1", "重み", u64::MAX, 1 << 47, NORMALS),
        ("uniform:low=0,high=1", "model.layers.31.mlp.weight", 1 << 32, (1 << 40) + 7, UNIFORMS),
    ];
    for (expression, name, seed, start, expected) in rows {
        let tensor = DrawnTensor::new(name.parse().unwrap(), "281474976710656".parse().unwrap(), expression, &common);
        let mut values = [0.0; 4];
        native(seed, tensor.unwrap().spec(), 1).fill_f32(start, &mut values);
        assert_eq!(values.map(f32::to_bits), expected, "{expression} {name}");
    }
}

const NORMALS: [u32; 4] = [3192177473, 3195752087, 3203632835, 3206352564];

const UNIFORMS: [u32; 4] = [1053621207, 1034826660, 1046530986, 1003176832];

#[test]
fn no_golden_value_is_without_a_case() {
    for generator in own() {
        let drawn = drawn();
        for case in recorded(generator).keys() {
            assert!(drawn.contains_key(case), "{}: `{case}` is not drawn any more", generator.name);
        }
    }
}

#[test]
fn a_plain_layout_is_not_part_of_the_words() {
    // The layout only moves a distribution's scale: the same words are found in every one.
    let draw = |layout: &str| {
        let common = Common {
            dtype: DType::F32.into(),
            layout: layout.parse::<Layout>().unwrap(),
            fans: Fans::default(),
            generator: NATIVE,
        };
        let tensor = DrawnTensor::new("w".parse().unwrap(), "64x64".parse().unwrap(), "he-normal", &common).unwrap();
        let mut values = vec![0.0; 4096];
        native(SEED, tensor.spec(), 1).fill_f32(0, &mut values);
        values
    };
    assert_eq!(draw("torch"), draw("io"));
}
