//! Names, shapes and sizes of tensors, and targets.

use crate::bad_input::all_refused;
use crate::common::{Ended, Folder, has, skipped};

#[test]
fn fans_and_axes_that_a_shape_does_not_have_are_refused() {
    all_refused(&[
        ("init he-normal 5", &["shape 5", "fan_in is unknown", "--fan-in N"]),
        ("init he-normal b=()", &["shape ()", "has no axis, so fan_in is unknown"]),
        ("init glorot-uniform 5 --fan-in 3", &["fan_out is unknown", "--fan-out N"]),
        ("init he-normal:mode=fan-out 5 --fan-in 3", &["fan_out is unknown", "--fan-out N"]),
        ("init he-normal 3x3 --layout oo", &["`oo`", "fan_in", "another --layout"]),
        ("init he-normal 3x3x3 --layout oi", &["`oi`", "2 axes", "the tensor has 3"]),
        ("init he-normal 3x3x3 --layout c01b", &["`c01b`", "3 axes"]),
        ("init orthogonal 5", &["two or more axes", "shape 5 has 1"]),
        ("init orthogonal ()", &["two or more axes", "shape () has 0"]),
        ("init sparse:1 5", &["two or more axes", "shape 5 has 1"]),
        ("init orthogonal 3x3 --layout ii", &["`ii`", "no output axis"]),
        ("init sparse:1 3x3 --layout bo", &["`bo`", "no input axis"]),
        ("init he-normal 5 --fan-in 0", &["`0`", "1 to 2^48"]),
        ("init he-normal 5 --fan-in -1", &["`-1`", "--fan-in"]),
        ("init he-normal 5 --fan-in 281474976710657", &["`281474976710657`", "1 to 2^48"]),
    ]);
}

#[test]
fn what_is_no_shape_is_refused() {
    all_refused(&[
        ("init zeros 3x3,3x3", &["`3x3,3x3`", "`784x256`"]),
        ("init zeros 3-3", &["`3-3`", "`784x256`"]),
        ("init zeros +3", &["`+3`", "`784x256`"]),
        ("init zeros -3", &["`-3`", "`784x256`"]),
        ("init zeros 0x0x", &["`0x0x`", "`784x256`"]),
        ("init zeros x3", &["`x3`", "`784x256`"]),
        ("init zeros 3xx3", &["`3xx3`", "`784x256`"]),
        ("init zeros 1e3", &["`1e3`", "`784x256`"]),
        ("init zeros 3.0", &["`3.0`", "`784x256`"]),
        ("init zeros ٣", &["`٣`", "`784x256`"]),
        ("init zeros (3", &["`(3`", "`()` for a scalar"]),
        ("init zeros w=", &["`w=`", "`784x256`"]),
        ("init zeros", &["SHAPE"]),
        ("init", &["SCHEME", "SHAPE"]),
        ("init zeros 3 3x 3 --format npz", &["`3x`"]),
    ]);
}

#[test]
fn what_is_too_large_is_refused_before_any_work() {
    let axes = |count: usize| vec!["1"; count].join("x");
    all_refused(&[
        ("init zeros 1000000000000000000 -o w.npy", &["`1000000000000000000`", "2^48"]),
        ("init zeros 18446744073709551616 -o w.npy", &["`18446744073709551616`", "2^48"]),
        ("init zeros 4294967296x4294967296 -o w.npy", &["2^48"]),
        ("init zeros 4294967296x4294967296x0 -o w.npy", &["2^48"]),
        ("init zeros 281474976710657 -o w.npy", &["2^48"]),
        ("init zeros 281474976710656 -o w.npy", &["`w.npy`", "1125899906842752 bytes"]),
        (&format!("init zeros {}", axes(33)), &["33 axes", "at most 32"]),
        ("init orthogonal 600x600 --max-memory 1MiB", &["`weight`", "1.00 MiB", "--max-memory"]),
        ("init orthogonal 600x600 --max-memory 0", &["`weight`", "0 bytes", "--max-memory"]),
        ("init orthogonal 4000000x4000000", &["`weight`", "58.21 TiB", "--max-memory"]),
        ("init orthogonal 16777216x16777216 --max-memory 16777215TiB", &["`weight`", "1024.02 TiB", "system"]),
        ("init zeros 1048577x0 --format json -o new/", &["1048577x0", "--format"]),
        ("init zeros 1048577x0 -o w.json", &["1048577x0", "--format"]),
    ]);
    let many = format!("init zeros --dtype f64 -o w.npz {}", "281474976710656 ".repeat(2049));
    all_refused(&[(&many, &["2049 tensors", "2^62 bytes"])]);
}

#[test]
fn names_that_could_do_harm_are_refused() {
    let long = format!("init zeros {}=3", "n".repeat(600));
    all_refused(&[
        (&long, &["600 bytes", "at most 512"]),
        ("init zeros =3", &["`=3`", "empty"]),
        ("init zeros ../w=3 -o out/", &["`../w`", "`..`"]),
        ("init zeros a/../../w=3 -o out/", &["`a/../../w`", "`..`"]),
        ("init zeros /etc/w=3 -o out/", &["`/etc/w`", "empty"]),
        ("init zeros ./w=3 -o out/", &["`./w`", "`.`"]),
        ("init zeros a//b=3 -o out/", &["`a//b`", "empty"]),
        ("init zeros a/=3 -o out/", &["`a/`", "empty"]),
        ("init zeros a\\b=3", &["`a\\b`", "backslash"]),
        ("init zeros \u{1b}[31m=3", &["\\u{1b}[31m", "control"]),
        ("init zeros \u{9b}31m=3", &["\\u{9b}31m", "control"]),
        ("init zeros \u{202e}w=3", &["\\u{202e}w", "invisible"]),
        ("init zeros __metadata__=3", &["`__metadata__`", "safetensors"]),
        ("init zeros w=3 w=4 -o w.npz", &["two tensors", "`w`"]),
        ("init zeros 3 weight=4 -o w.npz", &["two tensors", "`weight`"]),
        ("init zeros a=3 a.npy/b=3 -o new/", &["`new/a.npy`", "both a file and a folder"]),
    ]);
}

#[test]
fn targets_that_cannot_be_written_are_refused() {
    let long = format!("init zeros 3 -o {}.npy", "n".repeat(600));
    all_refused(&[
        ("init zeros 3 -o kept.npy", &["`kept.npy`", "--force"]),
        ("init zeros 3 -o out/", &["`out/weight.npy`", "--force"]),
        ("init zeros 3 -o folder.npy", &["`folder.npy`", "folder", "`/`"]),
        ("init zeros 3 -o folder.npy --force", &["`folder.npy`", "folder"]),
        ("init zeros 3 -o . --format npy", &["`.`", "folder"]),
        ("init zeros 3 -o missing/w.npy", &["`missing/w.npy`", "no such folder: `missing`"]),
        ("init zeros 3 -o kept.npy/w.npy", &["`kept.npy/w.npy`", "Not a directory"]),
        ("init zeros 3 -o kept.npy/", &["`kept.npy`", "is a file, not a folder"]),
        ("init zeros 3 -o dangling.npy", &["`dangling.npy`", "broken symbolic link"]),
        ("init zeros 3 -o dangling.npy --force", &["`dangling.npy`", "broken symbolic link"]),
        ("init zeros 3 -o loop.npy --force", &["`loop.npy`", "symbolic link"]),
        ("init zeros 3 -o /proc/w.npy", &["`/proc/w.npy`"]),
        ("init zeros 3 -o /proc/version --format npy --force", &["`/proc/version`"]),
        ("init zeros 3 -o w.foo", &["`w.foo`", ".npy, .pt, .npz, .safetensors", "--format"]),
        ("init zeros 3 -o w", &["`w`", "use .npz, ..., or add --format", "--format"]),
        ("init zeros 3 -o .npy", &["`.npy`", "--format"]),
        ("init zeros 3 4 -o w.npy", &["one tensor", "2", "`-o DIR/`"]),
        ("init zeros 3 4 -o w.npz --format npy", &["one tensor", "2", "`-o DIR/`"]),
        ("init zeros 3 4", &["one tensor", "2", "--format"]),
        ("init zeros 3 4 -o -", &["one tensor", "2", "--format"]),
        ("init zeros 3 4 --format npy", &["one tensor", "2"]),
        (&long, &["nnnn.npy`", "File name too long"]),
    ]);
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    if !has("chattr", "a read-only folder") {
        return;
    }
    // Root may write to a folder without a write bit, but not to an immutable one.
    let folder = Folder::new();
    std::fs::create_dir(folder.join("fixed")).unwrap();
    if folder.shell("chattr +i fixed").status != 0 {
        skipped("a read-only folder: chattr +i is not permitted here");
        return;
    }
    let ended = [&["-o", "fixed/w.npy"][..], &["-o", "fixed/"], &["-o", "fixed/new/"]]
        .map(|target| Ended::of(folder.fanin("init zeros 3").args(target)));
    folder.shell("chattr -i fixed");
    for ended in ended {
        assert!(ended.is_refusal() && ended.stderr.contains("`fixed/"), "{}", ended.stderr);
    }
    assert_eq!(folder.names(), ["fixed"]);
    assert_eq!(std::fs::read_dir(folder.join("fixed")).unwrap().count(), 0);
}

#[test]
fn parts_that_do_not_divide_are_refused_with_any_fans() {
    let folder = Folder::new();
    let mut refused = 0;
    // The heads of deformable-offsets are no parts of a weight.
    for scheme in fanin::scheme::all().filter(|scheme| scheme.name != "deformable-offsets") {
        for (parts, fans) in [
            ("groups=3", "--fan-in 27"),
            ("groups=3", "--fan-out 8"),
            ("groups=3", "--fan-in 27 --fan-out 8"),
            ("groups=16", "--fan-in 27 --fan-out 8"),
            ("groups=5,transposed=true", "--fan-in 27 --fan-out 8"),
            ("heads=3", "--fan-in 27 --fan-out 8"),
            ("split=3", "--fan-in 27 --fan-out 8"),
            ("split=2,axis=2", "--fan-in 27 --fan-out 8"),
            ("split=2,axis=7", "--fan-in 27 --fan-out 8"),
        ] {
            let line = format!("init {}:{parts} 8x8x3x3 --layout torch {fans} -o w.npy", scheme.name);
            let ended = Ended::of(&mut folder.fanin(&line));
            assert!(ended.is_refusal() && folder.names().is_empty(), "{line}: {ended:?}");
            let why = if parts.ends_with("axis=7") { "no axis 7" } else { "not a multiple of" };
            let takes_parts = !ended.stderr.contains("no parameter");
            assert!(!takes_parts || ended.stderr.contains(why), "{line}: {}", ended.stderr);
            refused += usize::from(takes_parts);
        }
    }
    assert!(refused > 300, "{refused}");
}
