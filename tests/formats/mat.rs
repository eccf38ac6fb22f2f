//! `.mat` files of MATLAB, byte by byte and by the promises of every format.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::common::{Ended, Folder};

/// A little-endian number of a file.
fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// The name, the axes and the doubles of each variable of doubles of a file that fanin wrote.
fn doubles(bytes: &[u8]) -> Vec<(String, Vec<usize>, Vec<f64>)> {
    assert_eq!((&bytes[..19], &bytes[124..128]), (&b"MATLAB 5.0 MAT-file"[..], &b"\0\x01IM"[..]));
    let (mut at, mut found) = (128, Vec::new());
    while at < bytes.len() {
        assert_eq!(number(bytes, at), 14, "a matrix");
        let (end, class) = (at + 8 + number(bytes, at + 4), number(bytes, at + 16));
        let sizes = number(bytes, at + 28);
        let axes: Vec<usize> = (0..sizes / 4).map(|axis| number(bytes, at + 32 + 4 * axis)).collect();
        let name = at + 32 + sizes.next_multiple_of(8);
        let length = number(bytes, name + 4);
        let text = String::from_utf8(bytes[name + 8..name + 8 + length].to_vec()).unwrap();
        let data = name + 8 + length.next_multiple_of(8);
        if class == 6 {
            let values = &bytes[data + 8..data + 8 + number(bytes, data + 4)];
            let values = values.chunks_exact(8).map(|value| f64::from_le_bytes(value.try_into().unwrap()));
            found.push((text, axes, values.collect()));
        }
        at = end;
    }
    assert_eq!(at, bytes.len());
    found
}

#[test]
fn a_matrix_is_column_major_and_its_name_is_one_of_matlab() {
    let folder = Folder::new();
    folder.done("init normal fc.weight=70x300 0=5 -q --dtype f64 --seed 4 -o w.mat");
    folder.done("init normal fc.weight=70x300 0=5 -q --dtype f64 --seed 4 -o w.raw");
    let found = doubles(&folder.read("w.mat"));
    let values = folder.read("w.raw");
    let value = |place: usize| f64::from_le_bytes(values[8 * place..8 * place + 8].try_into().unwrap());
    assert_eq!((found[0].0.as_str(), &found[0].1[..]), ("fc_weight", &[70, 300][..]));
    for (place, &held) in found[0].2.iter().enumerate() {
        assert_eq!(held.to_bits(), value(place % 70 * 300 + place / 70).to_bits(), "{place}");
    }
    assert_eq!((found[1].0.as_str(), &found[1].1[..], found[1].2.len()), ("x0", &[1, 5][..], 5));
    folder.done("verify w.mat");
    let listed = folder.done("inspect w.mat");
    let listed = String::from_utf8_lossy(&listed);
    assert!(listed.contains("fc.weight") && listed.contains("70x300"), "{listed}");
}

#[test]
fn threads_streams_and_generators_make_the_same_file() {
    let folder = Folder::new();
    for options in ["", "--like torch", "--like numpy", "--slice a=3:9,2:5"] {
        let line = format!("init normal a=30x20 b=7 -q --seed 1 {options}");
        let streamed = folder.done(&format!("{line} --format mat --threads 1"));
        folder.done(&format!("{line} --force -o w.mat --threads 4"));
        assert_eq!(folder.read("w.mat"), streamed, "{options}");
        folder.done("verify w.mat");
    }
}

#[test]
fn copies_are_equal_in_both_directions() {
    let folder = Folder::new();
    folder.done("init normal a=30x20 b=7 c=2x3x4 -q -o w.npz");
    folder.done("model w.npz --keep * -q -o copy.mat");
    folder.done("model copy.mat --keep * -q -o again.npz");
    folder.done("model w.npz --keep * -q -o direct.npz");
    assert_eq!(folder.read("again.npz"), folder.read("direct.npz"));
}

#[test]
fn compressed_variables_are_read_and_damaged_ones_are_refused() {
    let folder = Folder::new();
    folder.done("init normal a=30x20 -q -o w.mat");
    let plain = folder.read("w.mat");
    let mut packed = plain[..128].to_vec();
    let mut at = 128;
    while at < plain.len() {
        let end = at + 8 + number(&plain, at + 4);
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&plain[at..end]).unwrap();
        let content = encoder.finish().unwrap();
        packed.extend(15u32.to_le_bytes());
        packed.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        packed.extend(content);
        at = end;
    }
    folder.write("packed.mat", &packed);
    folder.done("verify packed.mat");
    // The last byte is of the checksum.
    *packed.last_mut().unwrap() ^= 1;
    folder.write("packed.mat", &packed);
    let ended = Ended::of(&mut folder.fanin("verify packed.mat"));
    assert!(ended.is_refusal() && ended.stderr.contains("damaged"), "{}", ended.stderr);
}

#[test]
fn tensors_that_matlab_cannot_hold_are_refused() {
    let folder = Folder::new();
    for (tensors, message) in [
        ("a.b=3 a_b=3", "`a_b` and `a.b` would both be `a_b`"),
        ("fanin=3", "`fanin` and the provenance would both be `fanin`"),
        ("w=3 --dtype bf16", "mat cannot store: use --format npy, pt, npz, safetensors, raw, json"),
        ("w=70000x70000", "less than 2 GiB"),
        ("v=300 w=10x30 --max-memory 1KiB", "writing `w` to .mat needs 1,200 bytes of memory"),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("init normal {tensors} -o w.mat")));
        assert!(ended.is_refusal() && ended.stderr.contains(message), "{tensors}: {}", ended.stderr);
    }
}

#[test]
fn values_that_would_fill_the_memory_are_refused() {
    // MATLAB stores 140 million doubles as bytes if each is a small whole number.
    let count = 140_000_000;
    let words = [14, 56 + count, 6, 8, 6, 0, 5, 8, 1, count, 1, 1, 119, 0, 2, count];
    let folder = Folder::new();
    folder.done("init zeros w=1x8 -q -o w.mat");
    let mut bytes = folder.read("w.mat")[..128].to_vec();
    bytes.extend(words.into_iter().flat_map(u32::to_le_bytes));
    folder.write("w.mat", &bytes);
    let file = std::fs::File::options().write(true).open(folder.path().join("w.mat")).unwrap();
    file.set_len(128 + 64 + u64::from(count)).unwrap();
    let ended = Ended::of(&mut folder.fanin("inspect w.mat"));
    assert!(ended.is_refusal() && ended.stderr.contains("more than 1 GiB"), "{}", ended.stderr);
}

/// A variable of six numbers. Its parts: the flags with the class, the axes, the name, the type of the data, and the data.
fn variable(flags: u32, axes: [i32; 2], name: &str, kind: u32, data: &[u8]) -> Vec<u8> {
    let axes = axes.map(i32::to_le_bytes).concat();
    let mut inside = Vec::new();
    for (kind, content) in
        [(6, &[flags.to_le_bytes(), [0; 4]].concat()[..]), (5, &axes), (1, name.as_bytes()), (kind, data)]
    {
        inside.extend([kind, u32::try_from(content.len()).unwrap()].map(u32::to_le_bytes).concat());
        inside.extend(content);
        inside.resize(inside.len().next_multiple_of(8), 0);
    }
    [[14, u32::try_from(inside.len()).unwrap()].map(u32::to_le_bytes).concat(), inside].concat()
}

const UINT8: u32 = 9;
const LOGICAL: u32 = 1 << 9;

#[test]
fn variables_that_no_tensor_can_be_are_refused() {
    let folder = Folder::new();
    folder.done("init zeros a.b=2x3 -q -o w.mat");
    let written = folder.read("w.mat");
    let singles = [0; 24];
    for (added, message) in [
        (variable(UINT8, [2, 3], "a.b", 2, &[0; 6]), "two tensors are named `a.b`"),
        (variable(12, [2, 3], "i", 7, &singles), "numbers of i32 are not stored as f32"),
        (variable(UINT8 | LOGICAL, [2, 3], "l", 7, &singles), "numbers of bool are not stored as f32"),
        (variable(8, [2, 3], "i", 4, &[44, 1].repeat(6)), "300 is not a valid i8"),
        (variable(15, [2, 3], "u", 1, &[255; 6]), "-1 is not a valid u64"),
        (variable(UINT8 | LOGICAL, [2, 3], "l", 1, &[2; 6]), "2 is not a valid bool"),
        (variable(7, [2, 3], "s", 5, &[1, 0, 0, 1].repeat(6)), "16777217 is not a valid f32"),
        (variable(UINT8, [2, 3], "", 2, &[0; 6]), "has no name"),
        (variable(UINT8, [2, -3], "n", 2, &[0; 6]), "axis 1 of `n` is negative"),
    ] {
        folder.write("w.mat", [&written[..], &added].concat());
        let ended = Ended::of(&mut folder.fanin("inspect w.mat"));
        assert!(ended.is_refusal() && ended.stderr.contains(message), "{message}: {}", ended.stderr);
    }
}

#[test]
fn data_of_objects_are_skipped_and_logical_doubles_are_read() {
    let folder = Folder::new();
    folder.done("init zeros w=1x8 -q -o w.mat");
    let mut bytes = folder.read("w.mat")[..128].to_vec();
    let values: Vec<u8> = [0.0, 1.0, 1.0, 0.0, 0.0, 1.0f64].into_iter().flat_map(f64::to_le_bytes).collect();
    bytes.extend(variable(6 | LOGICAL, [2, 3], "mask", 9, &values));
    let place = bytes.len() as u64;
    bytes.extend(variable(UINT8, [2, 3], "", 2, &[0; 6]));
    bytes[116..124].copy_from_slice(&place.to_le_bytes());
    folder.write("w.mat", &bytes);
    let listed = folder.done("inspect w.mat");
    let listed = String::from_utf8_lossy(&listed);
    assert!(listed.lines().any(|line| line.contains("mask") && line.contains("f64")), "{listed}");
    folder.done("model w.mat --keep * -q -o copy.npz");
}
