//! What the writers write is read back; what nobody should write is refused, without a panic or a large allocation.

use std::fs;
use std::path::Path;

use anyhow::Result;
use fanin::distribution::Distribution;
use fanin::format::{FORMATS, Format};
use fanin::generator::NATIVE;
use fanin::plan::{Common, DrawnTensor, Opened, Plan, Tensor};
use fanin::reader::Contents;
use fanin::statistics::summary::Summary;
use fanin::summary;
use fanin::tensor::{DType, Element, Fans, Layout, Seed};
use fanin::writer::{self, Existing, FileOptions, Settings};

use crate::common::hostile;
use crate::temporary::Temporary;

const SHAPES: [&str; 6] = ["()", "0x5", "7", "3x4x5", "2x0x3", "300x70"];

fn tensor(name: &str, shape: &str, expression: &str, dtype: DType) -> DrawnTensor {
    let common = Common {
        dtype: dtype.into(),
        layout: Layout::default(),
        fans: Fans { fan_in: Some(12), fan_out: None },
        generator: NATIVE,
    };
    DrawnTensor::new(name.parse().unwrap(), shape.parse().unwrap(), expression, &common).unwrap()
}

/// A distribution as text that spells out every parameter.
fn text(distribution: &Distribution) -> String {
    format!("{distribution:?}")
}

fn plan(tensors: Vec<DrawnTensor>) -> Plan {
    Plan::new(NATIVE, Seed::from(7), tensors).unwrap()
}

fn written(plan: &Plan, format: &Format) -> Temporary {
    let file = Temporary::new();
    let pieces = format.pieces(plan).unwrap();
    let settings = Settings { threads: &|| 2, progress: &|_| {} };
    let options = FileOptions { existing: Existing::Refuse, fsync: false };
    writer::write_file(plan, &pieces, &file.0, options, &settings).unwrap();
    if let Some(sidecar) = format.sidecar(plan, &file.0).unwrap() {
        fs::write(file.0.with_file_name(sidecar.name), sidecar.bytes).unwrap();
    }
    file
}

/// The values as they were drawn.
fn drawn(plan: &Plan, tensor: &Tensor) -> Vec<f64> {
    let number = plan.tensors().iter().position(|other| other.name() == tensor.name()).unwrap();
    let Opened::Numbers(element, source) = plan.open(number, 1) else { panic!("`{}` is copied", tensor.name()) };
    let count = usize::try_from(tensor.shape().count()).unwrap();
    let mut encoder = writer::Encoder::default();
    encoder.widened(source.as_ref(), element.computed_in(), 0, count).to_vec()
}

/// A tensor's name, values and figures.
type Read = (String, Vec<f64>, Option<Summary>);

/// Everything that can be read of a file.
fn read_all(path: &Path) -> Result<Vec<Read>> {
    let contents = Contents::open(path)?;
    let mut all = Vec::new();
    for number in 0..contents.entries.len() {
        let mut values = Vec::new();
        if contents.entries[number].dtype().is_some() {
            contents.read(number, &mut |chunk| values.extend_from_slice(chunk))?;
        }
        let figures = summary(&contents, number, 2)?;
        all.push((contents.entries[number].name.clone(), values, figures));
    }
    Ok(all)
}

#[test]
fn what_is_written_is_read_back_with_its_recipe() {
    for format in FORMATS {
        for dtype in DType::ALL.into_iter().filter(|&dtype| format.has_type(Element::Drawn(dtype))) {
            for shape in SHAPES {
                let plan = plan(vec![tensor("weight", shape, "lecun-normal", dtype)]);
                let file = written(&plan, format);
                let contents = Contents::open(&file.0).unwrap();
                let entry = &contents.entries[0];
                let at = format!("{} {dtype} {shape}", format.name);
                assert_eq!((contents.format.name, contents.entries.len()), (format.name, 1), "{at}");
                assert_eq!((entry.name.as_str(), &entry.shape), ("weight", plan.tensors()[0].shape()), "{at}");
                assert_eq!(entry.dtype(), Some(dtype), "{at}");
                assert_eq!(contents.notes, [""; 0], "{at}");
                if format.name != "npy" {
                    assert_eq!(contents.provenance.as_ref().unwrap().seed().unwrap(), Seed::from(7), "{at}");
                    assert_eq!(
                        text(entry.planned.as_ref().unwrap().distribution()),
                        text(plan.tensors()[0].drawn().unwrap().distribution()),
                        "{at}"
                    );
                    assert_eq!(entry.type_word, dtype.word(), "{at}");
                }
                assert_eq!(read_all(&file.0).unwrap()[0].1, drawn(&plan, &plan.tensors()[0]), "{at}");
            }
        }
    }
}

#[test]
fn several_tensors_keep_their_values_and_distributions() {
    let tensors = [
        tensor("a/b", "6x5", "orthogonal", DType::F32),
        tensor("ünïcode", "40x30", "sparse:nonzeros=2", DType::F64),
        tensor("b", "9", "constant:0.5", DType::BF16),
        tensor("t", "30x3", "truncated-normal:std=0.5", DType::F16),
        tensor("e", "0", "zeros", DType::F32),
    ];
    for format in FORMATS.iter().filter(|format| format.holds_several) {
        let held = tensors.iter().filter(|tensor| format.has_type(tensor.element()));
        let plan = plan(held.cloned().collect());
        let file = written(&plan, format);
        let contents = Contents::open(&file.0).unwrap();
        assert_eq!(contents.notes, [""; 0]);
        let read = read_all(&file.0).unwrap();
        assert_eq!(read.len(), plan.tensors().len());
        for tensor in plan.tensors() {
            let at = read.iter().position(|(name, ..)| name == tensor.name().as_str()).unwrap();
            assert_eq!(read[at].1, drawn(&plan, tensor), "{} {}", format.name, tensor.name());
            assert_eq!(
                text(contents.entries[at].planned.as_ref().unwrap().distribution()),
                text(tensor.drawn().unwrap().distribution())
            );
        }
    }
}

#[test]
fn an_empty_plan_is_an_empty_file() {
    let plan = plan(Vec::new());
    for format in FORMATS.iter().filter(|format| format.holds_several) {
        assert_eq!(read_all(&written(&plan, format).0).unwrap().len(), 0, "{}", format.name);
    }
}

#[test]
fn hostile_files_are_refused_in_one_line_that_is_safe_to_show() {
    let cases: Vec<_> = hostile::all()
        .into_iter()
        .flat_map(|(format, cases)| cases.into_iter().map(move |(what, bytes)| (format!("{format}: {what}"), bytes)))
        .collect();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut taken = Vec::new();
    for (what, bytes) in cases {
        match read_all(&Temporary::of(&bytes).0) {
            Ok(_) => taken.push(what),
            Err(error) => {
                let message = format!("{error:#}");
                assert!(message.chars().all(fanin::is_visible), "{what}: {message:?}");
                assert!(message.len() < 700, "{what}: {message}");
            }
        }
    }
    assert_eq!(taken, [""; 0], "these were taken");
}

#[test]
fn what_only_looks_odd_is_read() {
    for (what, bytes) in hostile::odd() {
        let file = Temporary::of(&bytes);
        if let Err(error) = read_all(&file.0) {
            panic!("{what}: {error:#}");
        }
    }
}

#[test]
fn recipes_that_do_not_fit_are_notes() {
    for (what, bytes) in hostile::misleading() {
        let file = Temporary::of(&bytes);
        let contents = Contents::open(&file.0).unwrap_or_else(|error| panic!("{what}: {error:#}"));
        assert!(!contents.notes.is_empty(), "{what}");
        assert!(contents.entries.iter().all(|entry| entry.planned.is_none()), "{what}");
    }
}

/// One small file of each format that is one file.
fn small_files() -> Vec<(&'static str, Vec<u8>)> {
    let plan = plan(vec![tensor("w", "2x3", "glorot-uniform", DType::F32)]);
    let alone = FORMATS.iter().filter(|format| format.sidecar(&plan, Path::new("w")).unwrap().is_none());
    alone.map(|format| (format.name, fs::read(&written(&plan, format).0).unwrap())).collect()
}

#[test]
fn every_truncation_is_refused() {
    for (format, bytes) in small_files() {
        // JSON may lose its last newline.
        let most = if format == "json" { bytes.len() - 1 } else { bytes.len() };
        for length in 0..most {
            let file = Temporary::of(&bytes[..length]);
            assert!(read_all(&file.0).is_err(), "{format} of {length} bytes was taken");
        }
    }
}

#[test]
fn every_longer_file_is_refused() {
    for (format, bytes) in small_files() {
        for tail in [&b"\0"[..], b"x", b"PK\x05\x06", &[0; 22], &bytes] {
            let file = Temporary::of(&[&bytes, tail].concat());
            assert!(read_all(&file.0).is_err(), "{format} with {} bytes more was taken", tail.len());
        }
    }
}

#[test]
fn every_flipped_bit_is_refused_or_read_consistently() {
    for (format, bytes) in small_files() {
        let whole = read_all(&Temporary::of(&bytes).0).unwrap();
        let file = Temporary::new();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file.0, &flipped).unwrap();
            let Ok(read) = read_all(&file.0) else { continue };
            // The text that is the provenance becomes numbers, and numbers of one class those of another.
            if format == "mat" {
                continue;
            }
            assert_eq!(read.len(), whole.len(), "{format}, bit {bit}");
            for (_, values, figures) in &read {
                let counted = figures.map_or(0, |figures| figures.finite + figures.nan + figures.infinite);
                assert_eq!(counted, values.len() as u64, "{format}, bit {bit}");
            }
            if format == "npz" || format == "pt" {
                assert_eq!(read[0].1, whole[0].1, "a checksum covers the values: bit {bit}");
            }
        }
    }
}

/// The values and the manifest of two small tensors.
fn raw_values() -> (Vec<u8>, String) {
    let plan = plan(vec![tensor("w", "2x3", "glorot-uniform", DType::F32), tensor("b", "3", "normal", DType::F64)]);
    let file = written(&plan, Format::find("raw").unwrap());
    (fs::read(&file.0).unwrap(), fs::read_to_string(file.manifest()).unwrap())
}

#[test]
fn raw_values_are_read_by_either_of_their_two_files() {
    let (values, manifest) = raw_values();
    assert_eq!(values.len(), 64 + 24, "the second tensor begins at 64");
    assert!(values[24..64].iter().all(|&byte| byte == 0));
    let file = Temporary::of_raw(&values, manifest.as_bytes());
    let read = read_all(&file.0).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read, read_all(&file.manifest()).unwrap());
    assert!(read_all(&Temporary::of(&values).0).is_err(), "without their manifest they are bytes of no format");
}

#[test]
fn raw_values_of_another_length_than_in_the_manifest_are_refused() {
    let (values, manifest) = raw_values();
    for length in 0..values.len() {
        let file = Temporary::of_raw(&values[..length], manifest.as_bytes());
        assert!(read_all(&file.0).is_err(), "{length} bytes were taken");
    }
    assert!(read_all(&Temporary::of_raw(&[&values[..], b"x"].concat(), manifest.as_bytes()).0).is_err());
    for length in 0..manifest.trim_end().len() {
        let file = Temporary::of_raw(&values, &manifest.as_bytes()[..length]);
        assert!(read_all(&file.0).is_err(), "a manifest of {length} bytes was taken");
    }
}

#[test]
fn hostile_manifests_are_refused_in_one_line() {
    let (values, _) = raw_values();
    let entry = |name: &str, dtype: &str, shape: &str, offset: &str, bytes: &str| {
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"offset":{offset},"bytes":{bytes}}}"#)
    };
    let w = entry("w", "f32", "[2,3]", "0", "24");
    let b = entry("b", "f64", "[3]", "64", "24");
    let of = |entries: &str| format!("{{\"format\":\"raw\",\"tensors\":{{{entries}}}}}");
    let both = |second: String| of(&format!("{w},{second}"));
    assert!(read_all(&Temporary::of_raw(&values, both(b.clone()).as_bytes()).0).is_ok(), "a recipe is not needed");
    let cases = [
        ("no tensors", r#"{"format":"raw","fanin":null}"#.to_string()),
        ("a list of tensors", r#"{"format":"raw","tensors":[]}"#.into()),
        ("a foreign key", r#"{"format":"raw","file":"/etc/passwd","tensors":{}}"#.into()),
        ("one tensor of two", of(&w)),
        ("a name twice", both(w.clone())),
        ("an overlap", both(entry("b", "f64", "[3]", "0", "24"))),
        ("a hole", both(entry("b", "f64", "[3]", "128", "24"))),
        ("no multiple of 64", both(entry("b", "f64", "[3]", "24", "24"))),
        ("past the end", both(entry("b", "f64", "[30]", "64", "240"))),
        ("more bytes than the shape", both(entry("b", "f64", "[3]", "64", "32"))),
        ("an offset of 2^64-64", both(entry("b", "f64", "[3]", "18446744073709551552", "24"))),
        ("an offset of 2^64", both(entry("b", "f64", "[3]", "18446744073709551616", "24"))),
        ("an offset of -64", both(entry("b", "f64", "[3]", "-64", "24"))),
        ("an offset of 64.0", both(entry("b", "f64", "[3]", "64.0", "24"))),
        ("a shape that wraps", both(entry("b", "f64", "[4294967296,4294967296]", "64", "0"))),
        ("a shape of 2^62", both(entry("b", "f64", "[4611686018427387904]", "64", "24"))),
        ("33 axes", both(entry("b", "f64", &format!("[{}1]", "1,".repeat(32)), "64", "8"))),
        ("an unknown dtype", both(entry("b", "i65", "[3]", "64", "24"))),
        ("no dtype", both(r#""b":{"shape":[3],"offset":64,"bytes":24}"#.into())),
        ("a path", both(entry("b", "f64", "[3]", "64", "24").replace('}', r#","file":"x"}"#))),
        ("an entry of a megabyte", both(entry("b", &"x".repeat(1 << 20), "[3]", "64", "24"))),
        ("text after it", format!("{}x", both(b))),
        ("a terminal's escape", both(entry("\\u001b[2J", "f64", "[9]", "64", "24"))),
        ("a hundred thousand brackets", of(&format!("\"b\":{}", "[".repeat(100_000)))),
    ];
    for (what, manifest) in cases {
        let error = read_all(&Temporary::of_raw(&values, manifest.as_bytes()).0).expect_err(what);
        let message = format!("{error:#}");
        assert!(message.chars().all(fanin::is_visible) && message.len() < 700, "{what}: {message:?}");
    }
}
