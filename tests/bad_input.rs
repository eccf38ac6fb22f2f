//! Bad command lines: each is refused with status 2 and one line that names the culprit and what is allowed, in little
//! memory, with nothing on standard output and nothing made or changed. And what looks bad but is legal.

mod common;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::Instant;

use common::{Ended, FANIN, Folder, TIME, has, peak_memory, skipped};
use fanin::tensor::DType;
use fanin::writer::FORMATS;
use serde_json::Value;

/// The most memory that a refusal may take.
const MOST_MEMORY: u64 = 32 << 20;

/// A command line without quotes, and words that the refusal must hold.
type Case<'a> = (&'a str, &'a [&'a str]);

#[track_caller]
fn all_refused(cases: &[Case]) {
    let lines: Vec<_> = cases
        .iter()
        .map(|&(line, words)| (line.split_whitespace().map(OsString::from).collect::<Vec<_>>(), words))
        .collect();
    all_lines_refused(&lines);
}

#[track_caller]
fn all_lines_refused(cases: &[(Vec<OsString>, &[&str])]) {
    let folder = workplace();
    let measured = Path::new(TIME).exists();
    if !measured {
        skipped("the memory of refusals: no GNU time");
    }
    let mut times = Vec::with_capacity(cases.len());
    let mut faults = Vec::new();
    for (arguments, words) in cases {
        let started = Instant::now();
        faults.extend(fault(&folder, arguments, words, measured));
        times.push(started.elapsed());
    }
    times.sort();
    // For a reader only: how long a run takes says more of the machine than of the program.
    eprintln!("{} refusals, median {:?}", times.len(), times[times.len() / 2]);
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// A folder with what a target may run into.
fn workplace() -> Folder {
    let folder = Folder::new();
    folder.write("kept.npy", "trained for a week");
    std::fs::create_dir(folder.join("folder.npy")).unwrap();
    std::fs::create_dir(folder.join("out")).unwrap();
    folder.write("out/weight.npy", "trained for a week");
    std::os::unix::fs::symlink("nowhere", folder.join("dangling.npy")).unwrap();
    std::os::unix::fs::symlink("loop.npy", folder.join("loop.npy")).unwrap();
    folder.done("init normal 6x4 --layout torch -o base.npy");
    folder.done("init normal a=6x4 b=8 -o two.safetensors");
    folder.done("init normal 2x6x4 -o three.npy");
    folder
}

/// What is wrong with the way in which a command line is refused, if anything is.
fn fault(folder: &Folder, arguments: &[OsString], words: &[&str], measured: bool) -> Option<String> {
    let scratch = Folder::new();
    let memory = scratch.join("memory");
    let mut command = folder.command(if measured { TIME } else { FANIN });
    if measured {
        command.args(["-q", "-f", "%M", "-o"]).arg(&memory).arg(FANIN);
    }
    let before = folder.contents();
    let ended = Ended::of(command.args(arguments));

    let missing = words.iter().find(|word| !ended.told.contains(**word));
    let fault = if !ended.is_refusal() {
        format!("status {} and {:?}", ended.status, ended.told)
    } else if !ended.stdout.is_empty() {
        format!("wrote {} bytes to standard output", ended.stdout.len())
    } else if let Some(word) = missing {
        format!("does not say {word:?}: {:?}", ended.told)
    } else if folder.contents() != before {
        "changed the folder".into()
    } else if measured && peak_memory(&memory) > MOST_MEMORY {
        format!("took {} bytes of memory", peak_memory(&memory))
    } else {
        return None;
    };
    let shown = arguments.iter().map(|argument| argument.display().to_string().chars().take(60).collect());
    Some(format!("fanin {}: {fault}", shown.collect::<Vec<String>>().join(" ")))
}

#[test]
fn unknown_words_are_refused_with_the_nearest_that_is_known() {
    all_refused(&[
        ("inti normal 3", &["'inti'", "'init'"]),
        ("frobnicate", &["'frobnicate'"]),
        ("init nromal 3", &["`nromal`", "did you mean `normal`?"]),
        ("init glorot-unifrom 3x3", &["`glorot-unifrom`", "did you mean `glorot-uniform`?"]),
        ("init kaiming_nromal_ 3x3", &["`kaiming_nromal_`", "did you mean `kaiming_normal"]),
        ("init qqqqqqqq 3", &["`qqqqqqqq`", "fanin list schemes"]),
        ("init tourch.normal_ 3", &["`tourch`", "did you mean `torch`?", "keras"]),
        ("init torch.he 3", &["`he`", "torch", "fanin list schemes --framework torch"]),
        ("init normal:sdt=1 3", &["`sdt`", "did you mean `std`?", "mean"]),
        ("init zeros:value=1 3", &["`value`", "takes none"]),
        ("init lecun-normal:gain=2 3x3", &["`gain`", "takes groups"]),
        ("init he-normal:gain=rleu 3x3", &["`rleu`", "did you mean `relu`?", "tanh"]),
        ("init he-normal:mode=fan-on 3x3", &["`fan-on`", "did you mean `fan-in`?", "fan-geo-avg"]),
        ("init glorot:distribution=unifrom 3x3", &["`unifrom`", "did you mean `uniform`?"]),
        ("init orthogonal:method=qr 3x3", &["`qr`", "svd", "reflectors"]),
        ("init normal 3 --format npx", &["`npx`", "did you mean `npy`?", "safetensors"]),
        ("init normal 3 --format NPY", &["`NPY`", "npy, npz, json, safetensors"]),
        ("init normal 3 --layout trch", &["`trch`", "did you mean `torch`?", "lasagne"]),
        ("init normal 3x3 --layout oz", &["`oz`", "one letter an axis"]),
        ("init normal 3 --dtype f23", &["`f23`", "f64, f32, f16 and bf16", "did you mean `f"]),
        ("init normal 3 --sed 1", &["'--sed'", "'--seed'"]),
        ("init normal 3 -x", &["'-x'"]),
        ("list shcemes", &["'shcemes'", "schemes"]),
        ("list", &["<WHAT>"]),
        ("explain nromal", &["`nromal`", "did you mean `normal`?"]),
        ("explain", &["<SCHEME>"]),
        ("completions tcsh", &["'tcsh'", "bash", "zsh"]),
        ("man inti", &["`inti`"]),
    ]);
}

#[test]
fn parameters_out_of_range_are_refused() {
    all_refused(&[
        ("init normal:std=-1 3", &["std is -1", "0 or more"]),
        ("init normal:-0.5 3", &["std is -0.5", "0 or more"]),
        ("init normal:std=nan 3", &["std is `nan`", "finite number"]),
        ("init normal:std=inf 3", &["std is `inf`", "finite number"]),
        ("init normal:mean=-inf 3", &["mean is `-inf`", "finite number"]),
        ("init normal:std=1e999 3", &["std is `1e999`", "finite number"]),
        ("init normal:std=0x10 3", &["std is `0x10`", "finite number"]),
        ("init constant 3", &["`value` is required"]),
        ("init constant:nan 3", &["value is `nan`", "finite number"]),
        ("init uniform:low=1,high=1 3", &["low is 1", "high is 1", "below"]),
        ("init uniform:low=2,high=1 3", &["low is 2", "high is 1", "below"]),
        ("init uniform:low=1 3", &["`high` is required"]),
        ("init uniform:range=0 3", &["range is 0", "above 0"]),
        ("init uniform:std=-1 3", &["std is -1", "above 0"]),
        ("init uniform:mean=1 3", &["`std` is required"]),
        ("init uniform:low=0,high=1,std=1 3", &["low and high, or range, or std"]),
        ("init truncated-normal:std=0 3", &["std is 0", "above 0"]),
        ("init truncated-normal:low=-1,low-sigma=-2 3", &["low and high", "not both"]),
        ("init truncated-normal:low=1,high=-1 3", &["lower cut is 1", "-1"]),
        ("init truncated-normal:low-sigma=2,high-sigma=2 3", &["below"]),
        ("init truncated-normal:low=-1,high=1,corrected=true 3", &["corrected", "low-sigma"]),
        ("init truncated-normal:corrected=yes 3", &["`yes`", "true or false"]),
        ("init he-normal:transposed=true 8x3x3x4 --layout mlx", &["MLX", "leave transposed out"]),
        ("init he-normal:transposed=true 3x3x4x8 --layout jax", &["Flax", "leave transposed out", "--layout keras"]),
        ("init orthogonal:transposed=true 3x4x8 --layout jax", &["Flax", "leave transposed out"]),
        ("init truncated-normal:std=1e-9,low=1,high=2 3", &["standard deviations", "1e6"]),
        ("init he-normal:gain=0 3x3", &["gain is 0", "above 0"]),
        ("init he-normal:slope=0.1 3x3", &["slope", "leaky-relu"]),
        ("init orthogonal:gain=2,slope=0.1 3x3", &["slope", "leaky-relu"]),
        ("init variance-scaling:scale=-1 3x3", &["scale is -1", "above 0"]),
        ("init sparse 3x3", &["nonzeros, density and zeros"]),
        ("init sparse:nonzeros=1,density=0.5 3x3", &["exactly one"]),
        ("init sparse:density=1.5 3x3", &["density is 1.5", "between 0 and 1"]),
        ("init sparse:zeros=-0.1 3x3", &["zeros is -0.1", "between 0 and 1"]),
        ("init sparse:nonzeros=4 3x3", &["nonzeros is 4", "only 3 weights"]),
        ("init sparse:nonzeros=1.5 3x3", &["nonzeros is `1.5`", "whole number"]),
        ("init normal:std=1,std=2 3", &["`std` is given twice"]),
        ("init normal:1,std=2 3", &["`std` is given twice"]),
        ("init normal:std= 3", &["`std=`", "key=value"]),
        ("init normal: 3", &["argument is missing"]),
        ("init normal:std=1,2 3", &["`2`", "without a key"]),
        ("init zeros:1 3", &["`1`", "takes no such value"]),
        ("init :std=1 3", &["no scheme is named"]),
        ("init normal:std=1e6 3 --dtype f16", &["`normal:std=1e6`", "do not fit f16", "--dtype"]),
        ("init constant:1e39 3", &["`constant:1e39`", "do not fit f32"]),
        ("init uniform:1e39 3 --dtype bf16", &["`uniform:1e39`", "do not fit bf16"]),
        ("init uniform:low=1.0001,high=1.0002 3 --dtype f16", &["no f16 number", "1.0001", "wider --dtype"]),
    ]);
}

#[test]
fn matrices_and_convolutions_that_cannot_be_orthogonal_or_sparse_are_refused() {
    all_refused(&[
        ("init delta-orthogonal 3x3", &["three or more axes", "shape 3x3 has 2", "take orthogonal"]),
        ("init delta-orthogonal 3x8x4", &["8 inputs and 4 outputs", "norm"]),
        ("init delta-orthogonal 3x3x3 --layout bio", &["`bio`", "no kernel axis"]),
        ("init delta-orthogonal 3x3x3 --layout kko", &["`kko`", "no input axis"]),
        ("init conv-orthogonal 4x4", &["three or more axes", "take orthogonal"]),
        ("init conv-orthogonal 3x5x4x8", &["kernels of one size", "3x5x4x8", "[3, 5]"]),
        ("init conv-orthogonal 3x3x8x4", &["8 inputs and 4 outputs", "norm"]),
        ("init conv-orthogonal:groups=2 8x8x3x3 --layout torch", &["8 inputs and 4 outputs"]),
        ("init conv-orthogonal 3x3x10000x100000", &["`weight`", "--max-memory"]),
        ("init convolution-aware 8x8", &["three or more axes", "take orthogonal"]),
        ("init convolution-aware:noise=0 3x3x2x2", &["noise is 0", "1e-30"]),
        ("init convolution-aware 1x1x1", &["one element"]),
        ("init convolution-aware 16777216x16x16 --max-memory 1TiB", &["`weight`", "--max-memory"]),
        ("init skew-symmetric 3x4", &["3 inputs and 4 outputs"]),
        ("init skew-symmetric:hennaf 4x4", &["`hennaf`", "did you mean `henaff`?", "cayley"]),
        ("init skew-symmetric 1000000x1000000", &["`weight`", "--max-memory"]),
        ("init glorot-orthogonal 1x1", &["one element"]),
        ("init glorot-orthogonal:scale=0 3x3", &["scale is 0", "above 0"]),
        ("init nguyen-widrow 5", &["no fan_in", "--fan-in"]),
        ("init nguyen-widrow:factor=-1 3x3", &["factor is -1", "above 0"]),
        ("init nguyen-widrow:factor=1e300 3x3", &["do not fit f32"]),
        ("init nguyen-widrow:factor=1e308 900 --fan-in 1", &["factor is 1e308", "too large"]),
        ("init orthogonal-random-features:norms=chi 3x3", &["`chi`", "gaussian, equal"]),
        ("init orthogonal-random-features:std=0 3x3", &["std is 0", "above 0"]),
        ("init scaled-orthogonal 3x3", &["layers is required"]),
        ("init scaled-orthogonal:0 3x3", &["layers is required", "1 or more"]),
        ("init orthogonal:mode=basis 3x4", &["mode=basis has as many", "4 outputs and 3 inputs"]),
        ("init orthogonal:mode=projection 3x4", &["mode=projection", "4 outputs and 3 inputs"]),
        ("init orthogonal:mode=embedding 4x3", &["mode=embedding", "3 outputs and 4 inputs"]),
        ("init sparse:nonzeros=4,unit=input 5x3", &["nonzeros is 4", "only 3 weights"]),
        ("init sparse:1,unit=row 3x3", &["`row`", "output, input"]),
        ("init sparse-bernoulli 3x3", &["nonzeros and density", "exactly one"]),
        ("init sparse-bernoulli:density=2 3x3", &["density is 2", "between 0 and 1"]),
        ("init sparse-bernoulli:nonzeros=4 3x3", &["nonzeros is 4", "only 3 weights"]),
    ]);
}

#[test]
fn weights_without_elements_and_of_one_are_made_where_they_are_orthogonal_or_sparse() {
    let folder = Folder::new();
    for shape in ["0x3", "3x0", "0x0", "1x2"] {
        for scheme in [
            "orthogonal-random-features",
            "glorot-orthogonal",
            "nguyen-widrow",
            "scaled-orthogonal:1",
            "sparse-bernoulli:0",
        ] {
            folder.done(&format!("init {scheme} {shape} -q -o w.npy --force"));
        }
    }
    for shape in ["0x0x3x3", "3x3x0x3", "3x3x0x0", "0x0x0x0", "1x1x1x2"] {
        for scheme in ["delta-orthogonal", "conv-orthogonal", "convolution-aware"] {
            folder.done(&format!("init {scheme} {shape} -q -o w.npy --force"));
        }
    }
    for angles in ["henaff", "cayley", "haar", "normal", "normal-squeeze"] {
        for shape in ["0x0", "1x1", "2x2", "0x3x3 --layout bio"] {
            folder.done(&format!("init skew-symmetric:{angles} {shape} -q -o w.npy --force"));
        }
    }
}

#[test]
fn fans_and_axes_that_a_shape_does_not_have_are_refused() {
    all_refused(&[
        ("init he-normal 5", &["`weight=5`", "no fan_in", "--fan-in", "--layout"]),
        ("init he-normal b=()", &["`b=()`", "no fan_in", "0 axes"]),
        ("init glorot-uniform 5 --fan-in 3", &["no fan_out", "--fan-out"]),
        ("init he-normal:mode=fan-out 5 --fan-in 3", &["no fan_out", "--fan-out"]),
        ("init he-normal 3x3 --layout oo", &["no fan_in", "`oo`"]),
        ("init he-normal 3x3x3 --layout oi", &["`oi`", "2 axes", "the tensor has 3"]),
        ("init he-normal 3x3x3 --layout c01b", &["`c01b`", "3 axes"]),
        ("init orthogonal 5", &["two or more axes", "shape 5 has 1"]),
        ("init orthogonal ()", &["two or more axes", "shape () has 0"]),
        ("init sparse:1 5", &["two or more axes", "shape 5 has 1"]),
        ("init orthogonal 3x3 --layout ii", &["`ii`", "no output axis"]),
        ("init sparse:1 3x3 --layout bo", &["`bo`", "no input axis"]),
        ("init he-normal 5 --fan-in 0", &["'0'", "1 to 2^48"]),
        ("init he-normal 5 --fan-in -1", &["'-1'", "--fan-in"]),
        ("init he-normal 5 --fan-in 281474976710657", &["'281474976710657'", "1 to 2^48"]),
    ]);
}

#[test]
fn what_is_no_shape_is_refused() {
    all_refused(&[
        ("init zeros 3X3", &["`3X3`", "small `x`", "`784x256`"]),
        ("init zeros 3,3", &["`3,3`", "small `x`"]),
        ("init zeros 3×3", &["`3×3`", "small `x`"]),
        ("init zeros 3*3", &["`3*3`", "small `x`"]),
        ("init zeros +3", &["`+3`", "`784x256`"]),
        ("init zeros -3", &["`-3`", "`784x256`"]),
        ("init zeros 0x0x", &["`0x0x`", "`784x256`"]),
        ("init zeros x3", &["`x3`", "`784x256`"]),
        ("init zeros 3xx3", &["`3xx3`", "`784x256`"]),
        ("init zeros 1e3", &["`1e3`", "`784x256`"]),
        ("init zeros 3.0", &["`3.0`", "`784x256`"]),
        ("init zeros ٣", &["`٣`", "`784x256`"]),
        ("init zeros (3)", &["`(3)`", "`()` for a scalar"]),
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
        ("init zeros /etc/w=3 -o out/", &["`/etc/w`", "start"]),
        ("init zeros ./w=3 -o out/", &["`./w`", "`.`"]),
        ("init zeros a//b=3 -o out/", &["`a//b`", "`//`"]),
        ("init zeros a/=3 -o out/", &["`a/`", "end"]),
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
        ("init zeros 3 -o missing/w.npy", &["`missing/w.npy`", "no folder `missing`"]),
        ("init zeros 3 -o kept.npy/w.npy", &["`kept.npy/w.npy`", "Not a directory"]),
        ("init zeros 3 -o kept.npy/", &["`kept.npy`", "is a file, and not a folder"]),
        ("init zeros 3 -o dangling.npy", &["`dangling.npy`", "symbolic link to nothing"]),
        ("init zeros 3 -o dangling.npy --force", &["`dangling.npy`", "symbolic link to nothing"]),
        ("init zeros 3 -o loop.npy --force", &["`loop.npy`", "symbolic link"]),
        ("init zeros 3 -o /proc/w.npy", &["`/proc/w.npy`"]),
        ("init zeros 3 -o /proc/version --format npy --force", &["`/proc/version`"]),
        ("init zeros 3 -o w.txt", &["`w.txt`", ".npy, .npz, .json, .safetensors", "--format"]),
        ("init zeros 3 -o w", &["`w`", ".npy, .npz, .json, .safetensors", "--format"]),
        ("init zeros 3 -o .npy", &["`.npy`", "--format"]),
        ("init zeros 3 4 -o w.npy", &["one tensor", "2", "`-o DIR/`"]),
        ("init zeros 3 4 -o w.npz --format npy", &["one tensor", "2", "`-o DIR/`"]),
        ("init zeros 3 4", &["several tensors", "--format"]),
        ("init zeros 3 4 -o -", &["several tensors", "--format"]),
        ("init zeros 3 4 --format npy", &["one tensor", "2"]),
        (&long, &["nnnn.npy`", "File name too long"]),
    ]);
}

#[test]
fn flags_out_of_range_repeated_or_without_a_value_are_refused() {
    const SEED: &str = "0 to 2^64-1";
    all_refused(&[
        ("init zeros 3 --seed -1", &["`-1`", SEED]),
        ("init zeros 3 --seed +1", &["'+1'", SEED]),
        ("init zeros 3 --seed 1e3", &["'1e3'", SEED]),
        ("init zeros 3 --seed 0x", &["'0x'", SEED]),
        ("init zeros 3 --seed 0xg", &["'0xg'", SEED]),
        ("init zeros 3 --seed 18446744073709551616", &["`18446744073709551616`", SEED]),
        ("init zeros 3 --seed 0x10000000000000000", &["`18446744073709551616`", SEED]),
        ("init zeros 3 --seed Random", &["'Random'", SEED]),
        ("init zeros 3 --threads 0", &["'0'", "1..=1024"]),
        ("init zeros 3 --threads 1025", &["'1025'", "1..=1024"]),
        ("init zeros 3 --threads -1", &["'-1'", "1..=1024"]),
        ("init zeros 3 --threads all", &["'all'", "--threads"]),
        ("init zeros 3 --max-memory 8GB", &["'8GB'", "8GiB"]),
        ("init zeros 3 --max-memory -1", &["-1"]),
        ("init zeros 3 --max-memory=-1", &["'-1'", "number of bytes"]),
        ("init zeros 3 --max-memory 99999999999TiB", &["'99999999999TiB'", "2^64"]),
        ("init zeros 3 --seed 1 --seed 2", &["--seed", "multiple times"]),
        ("init zeros 3 --format npy --format npz", &["--format", "multiple times"]),
        ("init zeros 3 -o a.npy -o b.npy", &["--output", "multiple times"]),
        ("init zeros 3 --force --force", &["--force", "multiple times"]),
        ("init zeros 3 --output=", &["--output", "value is required"]),
        ("init zeros 3 --seed", &["--seed", "value is required"]),
        ("init zeros 3 --json=1", &["'1'", "--json"]),
        ("init zeros -- --help", &["`--help`", "`784x256`"]),
        ("list schemes formats", &["'formats'"]),
    ]);
}

#[test]
fn arguments_that_are_no_words_are_refused() {
    let line = |arguments: &[&[u8]]| arguments.iter().map(|argument| OsString::from_vec(argument.to_vec())).collect();
    all_lines_refused(&[
        (line(&[b"init", b"zeros", b"\xff=3"]), &["`\u{fffd}=3`", "not UTF-8"]),
        (line(&[b"init", b"nor\xffmal", b"3"]), &["`nor\u{fffd}mal`", "not UTF-8"]),
        (line(&[b"init", b"zeros", b"3", b"--format", b"\xc3"]), &["not UTF-8"]),
        (line(&[b"init", b"zeros", b"3", b"-o", b"\xff"]), &["`\u{fffd}`", "extension"]),
        (line(&[b"\xff"]), &["'\u{fffd}'"]),
        (line(&[b""]), &["''"]),
        (line(&[b"init", b"", b"3"]), &["SCHEME", "value is required"]),
        (line(&[b"init", b"zeros", b""]), &["``", "`784x256`"]),
        (line(&[b"init", b"zeros", b" 3"]), &["` 3`", "`784x256`"]),
        (line(&[b"init", b"zeros", b"3\n"]), &["3\\u{a}", "`784x256`"]),
        (line(&[b"init", b"zeros", b"a\nb=3"]), &["a\\u{a}b", "control"]),
        (line(&[b"init", b"zeros\x1b]52;c;aGk=\x07", b"3"]), &["zeros\\u{1b}]52;c;aGk=\\u{7}"]),
        (line(&[b"init", b"zeros", b"3", b"-o", b"\x1b[2J.txt"]), &["`\\u{1b}[2J.txt`", "extension"]),
        (line(&[b"init", b"zeros", b"3", b"-o", b""]), &["--output", "value is required"]),
    ]);
}

#[test]
fn arguments_as_long_as_the_system_passes_are_refused_with_their_beginning_and_what_is_allowed() {
    // Linux passes 128 KiB in one argument at most, and more in several.
    let long = |beginning: &str| OsString::from(format!("{beginning}{}", "x".repeat(131_000 - beginning.len())));
    let init = |arguments: &[OsString]| [&["init".into()], arguments].concat();
    all_lines_refused(&[
        (vec![long("fro")], &["'froxxx", "xxx'"]),
        (init(&[long("fro"), "3".into()]), &["`froxxx", "fanin list schemes"]),
        (init(&[long("normal:std="), "3".into()]), &["`normal:std=xxx", "finite number"]),
        (init(&[long("normal:x"), "3".into()]), &["`normal:xxx", "finite number"]),
        (init(&["zeros".into(), long("")]), &["`xxx", "`784x256`"]),
        (init(&["zeros".into(), long("3x")]), &["`3xxx", "`784x256`"]),
        (init(&["zeros".into(), format!("{}=3", "n".repeat(131_000)).into()]), &["131000 bytes", "at most 512"]),
        (init(&["zeros".into(), vec!["1"; 65_000].join("x").into()]), &["65000 axes", "at most 32"]),
        (init(&["zeros".into(), "3".into(), long("--")]), &["'--xxx"]),
        (init(&["zeros".into(), "3".into(), "--layout".into(), long("o")]), &["oxxx", "one letter an axis"]),
        (init(&["zeros".into(), "3".into(), "--format".into(), long("n")]), &["`nxxx", "safetensors"]),
        (init(&["zeros".into(), "3".into(), "--seed".into(), long("1")]), &["'1xxx", "0 to 2^64-1"]),
        (init(&["zeros".into(), "3".into(), "-o".into(), long("w")]), &["`wxxx", "extension"]),
        (init(&[&["zeros".into()][..], &vec![long("3x"); 8]].concat()), &["`3xxx", "`784x256`"]),
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
        assert!(ended.is_refusal() && ended.told.contains("`fixed/"), "{}", ended.told);
    }
    assert_eq!(folder.names(), ["fixed"]);
    assert_eq!(std::fs::read_dir(folder.join("fixed")).unwrap().count(), 0);
}

#[test]
fn empty_arrays_and_scalars_are_written_in_every_format() {
    let folder = Folder::new();
    for format in FORMATS {
        for dtype in DType::ALL {
            for (shape, count) in [("0", 0), ("0x5", 0), ("5x0", 0), ("3x0x2", 0), ("()", 1), ("1x1x1", 1)] {
                let line = format!("init normal w={shape} --dtype {dtype} --format {} -q", format.name);
                let streamed = folder.done(&line);
                folder.done(&format!("{line} --force -o file"));
                assert_eq!(folder.read("file"), streamed, "{line}");
                if format.name == "json" {
                    assert_eq!(numbers(&streamed), count, "{line}");
                }
            }
        }
    }
}

/// How many numbers stand in the data of tensor `w` of a file of JSON.
fn numbers(json: &[u8]) -> usize {
    fn count(value: &Value) -> usize {
        value.as_array().map_or(1, |values| values.iter().map(count).sum())
    }
    let file: Value = serde_json::from_slice(json).unwrap();
    count(&file["tensors"]["w"]["data"])
}

#[test]
fn the_last_values_that_are_allowed_are_taken() {
    let folder = Folder::new();
    let axes = vec!["1"; 32].join("x");
    let name = "n".repeat(512);
    for line in [
        "zeros 3 --seed 0xffffffffffffffff".into(),
        "zeros 3 --seed 18446744073709551615".into(),
        "zeros 3 --threads 1024".into(),
        "zeros 3 --max-memory 0".into(),
        "he-normal 5 --fan-in 281474976710656".into(),
        "normal:std=0 3".into(),
        "sparse:density=1 3x3".into(),
        "sparse:zeros=1 3x3".into(),
        "sparse:nonzeros=0 3x3".into(),
        "constant:65504 3 --dtype f16".into(),
        "uniform:low=1,high=1.0000001 3 --dtype f16".into(),
        format!("zeros {axes}"),
        format!("zeros {name}=3"),
    ] {
        for format in FORMATS {
            folder.done(&format!("init {line} --format {} -q", format.name));
        }
    }
}

#[test]
fn names_in_any_script_are_written_in_every_format() {
    let folder = Folder::new();
    for name in ["ünïcode", "重み", "вес", "שלום", "🙂", "a=b", "model.layers.0/q:0"] {
        for format in FORMATS {
            folder.done(&format!("init zeros {name}=3 --format {} -q", format.name));
            folder.done(&format!("init zeros {name}=3 --format {} -q -o out/", format.name));
        }
        assert!(folder.join(format!("out/{name}.npz")).is_file(), "{name}");
        let file: Value = serde_json::from_slice(&folder.read(&format!("out/{name}.json"))).unwrap();
        assert_eq!(file["tensors"][name]["shape"], serde_json::json!([3]));
    }
}

#[test]
fn a_file_may_have_a_name_that_is_not_utf_8() {
    let folder = Folder::new();
    let name = OsString::from_vec(b"\xff.npy".to_vec());
    let ended = Ended::of(folder.fanin("init zeros 3 -q -o").arg(&name));
    assert_eq!((ended.status, ended.told.as_str()), (0, ""));
    assert!(folder.join(&name).is_file());
}

#[test]
fn recurrent_layers_of_impossible_shapes_or_parameters_are_refused() {
    all_refused(&[
        ("init lstm-bias ()", &["needs an axis", "shape ()"]),
        ("init lstm-bias 6", &["shape 6", "4 gates"]),
        ("init lstm-bias 8x6", &["last axis", "8x6", "4 gates"]),
        ("init lstm-bias:gates=fgio 8", &["`fgio`", "ifgo, igfo", "gfoi"]),
        ("init lstm-bias:forget=inf 8", &["forget is `inf`", "finite number"]),
        ("init mxnet.LSTMBias 7", &["`lstm-bias`", "4 gates"]),
        ("init chrono 8", &["`t-max` is required"]),
        ("init chrono:2 8", &["t-max is 2", "above 2"]),
        ("init chrono:-5 8", &["t-max is -5", "above 2"]),
        ("init chrono:100 6", &["shape 6", "4 gates"]),
        ("init chrono-gru 9", &["`t-max` is required"]),
        ("init chrono-gru:100 8", &["shape 8", "3 gates"]),
        ("init chrono-gru:100,gates=ifgo 9", &["`ifgo`", "rzn, zrn"]),
        ("init chrono:100 281474976710656", &["`weight`", "--max-memory"]),
        ("init hippo-legs ()", &["needs an axis", "shape ()"]),
        ("init hippo-legs 3x4", &["shape 3x4", "square", "`part=b`"]),
        ("init hippo-legs:a 3x4", &["shape 3x4", "last two axes", "equal"]),
        ("init hippo-legs:a 4", &["shape 4", "last two axes"]),
        ("init hippo-legs:c 4", &["part is `c`", "a, b"]),
        ("init hippo-legs:scale=0 4", &["scale is 0", "above 0"]),
        ("init hippo-fourier 5x5", &["5 states", "even"]),
        ("init s4.foud 5", &["5 states", "even"]),
        ("init hippo-lagt:beta=0 4x4", &["beta is 0", "above 0"]),
        ("init hippo-glagt:alpha=1 4x4", &["alpha is 1", "below 1"]),
        ("init hippo-glagt:alpha=-1 4x4", &["alpha is -1", "above -1"]),
        ("init hippo-lmu 40000x40000 --dtype f16", &["do not fit f16", "--dtype"]),
        ("init hippo-diagonal 16777216x16777216", &["`weight`", "--max-memory"]),
        ("init s4d-lin ()", &["needs an axis"]),
        ("init s4d-lin:phase 8", &["part is `phase`", "real, imag, log-real"]),
        ("init s4d-legs 16777216", &["`weight`", "--max-memory"]),
        ("init s4d-quad 1000 --dtype f16", &["do not fit f16"]),
        ("init mamba-a ()", &["needs an axis"]),
        ("init mamba2-a:low=0 8", &["low is 0", "above 0"]),
        ("init mamba2-a:low=16 8", &["low is 16", "high is 16", "below"]),
        ("init mamba-dt:dt-min=0 8", &["dt-min is 0", "above 0"]),
        ("init mamba-dt:dt-min=1 8", &["dt-min is 1", "dt-max is 0.1", "below"]),
        ("init mamba-dt:floor=-1 8", &["floor is -1", "0 or more"]),
        ("init mamba-dt-proj 8", &["no fan_in", "--fan-in"]),
        ("init mamba-dt-proj:scale=0 8x8", &["scale is 0", "above 0"]),
        ("init mamba-dt-proj:distribution=normal 8x8", &["`normal`", "uniform, constant"]),
        ("init s4-dt:dt-max=0.001 8", &["dt-min is 0.001", "below"]),
        ("init lru-nu:r-max=1.5 8", &["r-max is 1.5", "at most 1"]),
        ("init lru-nu:r-min=0.5,r-max=0.5 8", &["r-min is 0.5", "below"]),
        ("init lru-nu:r-min=-0.5 8", &["r-min is -0.5", "0 or more"]),
        ("init lru-theta:0 8", &["max-phase is 0", "above 0"]),
        ("init rwkv-decay:layer=12,layers=12 8", &["layer is 12", "below layers"]),
        ("init rwkv-mix:layers=0 8", &["layer is 0 of 0", "below layers"]),
    ]);
}

#[test]
fn laws_that_are_none_are_refused() {
    all_refused(&[
        ("init bernoulli:1.5 3", &["p is 1.5", "between 0 and 1"]),
        ("init bernoulli:p=-0.1 3", &["p is -0.1", "between 0 and 1"]),
        ("init integer-uniform:low=0.5 3", &["low is 0.5", "whole number"]),
        ("init integer-uniform:low=3,high=1 3", &["low is 3", "high is 1", "not be above"]),
        ("init integer-uniform:high=1e300 3", &["high is 1", "2^53"]),
        ("init integer-uniform:high=70000 3 --dtype f16", &["do not fit f16"]),
        ("init laplace:0 3", &["scale is 0", "above 0"]),
        ("init exponential:rate=-1 3", &["rate is -1", "above 0"]),
        ("init exponential:rate=1e-320 3 --dtype f64", &["do not fit f64"]),
        ("init gamma:0 3", &["shape is 0", "above 0"]),
        ("init gamma:scale=-1 3", &["scale is -1", "above 0"]),
        ("init gamma:shape=1e300,scale=1e300 3 --dtype f64", &["do not fit f64"]),
        ("init log-normal:-1 3", &["sigma is -1", "0 or more"]),
        ("init log-normal:100 3", &["do not fit f32"]),
        ("init log-uniform:low=0 3", &["low is 0", "above 0"]),
        ("init log-uniform:low=2,high=1 3", &["low is 2", "high is 1", "below"]),
        ("init log-uniform:low=1e-300,high=1e300 3 --dtype f64", &["308 powers of ten"]),
        ("init cauchy:scale=1,limit=0.5 3", &["limit is 0.5", "below scale"]),
        ("init cauchy 3 --dtype f16", &["do not fit f16"]),
        ("init student-t:dof=0 3", &["dof is 0", "0.1 or more"]),
        ("init student-t:dof=0.1 3", &["do not fit f32"]),
        ("init student-t:dof=0.1 3 --dtype f64", &["do not fit f64"]),
        ("init unit-ball 3", &["two or more axes"]),
        ("init unit-ball:0 3x3", &["radius is 0", "above 0"]),
        ("init unit-sphere 281474976710656x1", &["--max-memory"]),
        ("init unit-sphere 16777216x16777216", &["--max-memory"]),
        ("init positive-unit-ball:radius=2 3x3", &["`radius`"]),
        ("init positive-unit-ball:2 3x3", &["`2`", "without a key"]),
        ("init prior-bias:0 3", &["p is 0", "above 0"]),
        ("init prior-bias:p=1 3", &["p is 1", "below 1"]),
        ("init constant-list 3", &["`values` are required", "1/0/0.5"]),
        ("init constant-list:1/2/x 3", &["`x` among the values", "finite number"]),
        ("init constant-list:1/2/3/4 3", &["4 values", "3 elements", "too many"]),
        ("init constant-list:1/2 3", &["2 values", "rest=last or rest=cycle"]),
        ("init constant-list:1/2,rest=cycle 3", &["2 values", "whole number of times"]),
        ("init constant-list:1/1e39 2", &["do not fit f32"]),
        ("init nan 3 -o w.json", &["`weight` holds NaN", "JSON", "--format"]),
        ("init nan 3 --format json", &["NaN", "JSON"]),
        ("init he-normal:gain=gelo 3x3", &["`gelo`", "did you mean `gelu`?", "unit-gelu"]),
        ("init he-normal:gain=gelu,slope=0.1 3x3", &["slope", "leaky-relu"]),
    ]);
}

#[test]
fn fills_by_place_are_refused_where_they_have_no_meaning() {
    all_refused(&[
        ("init dirac 3x3", &["dirac", "one to three kernel axes", "3x3 has 0", "take identity"]),
        ("init torch.dirac_ 2x2x3x3x3x3 --layout torch", &["one to three", "has 4"]),
        ("init dirac:groups=3 4x2x3 --layout torch", &["groups=3", "size 4"]),
        ("init identity ()", &["scalar"]),
        ("init identity:square=true 3x4", &["3x4", "square"]),
        ("init chainer.Identity 3x4", &["stands for `identity:square=true`", "3x4"]),
        ("init identity:shift-in=0.5 3x3", &["shift-in is 0.5", "whole"]),
        ("init identity:shift-out=1e300 3x3", &["shift-out", "whole"]),
        ("init identity 3x3 --layout oo", &["layout `oo`", "input axis"]),
        ("init zero-init 5", &["two or more axes"]),
        ("init bilinear 3x3", &["convolutions", "no kernel axis"]),
        ("init bilinear 2x2x3 --layout torch", &["two kernel axes", "linear-upsampling"]),
        ("init bilinear 2x2x3x4 --layout torch", &["3 and 4", "equal"]),
        ("init linear-upsampling 2x3x4x4 --layout torch", &["as many outputs as inputs", "2 and 3"]),
        ("init linear-downsampling 3x3x4x5 --layout torch", &["4 and 5"]),
        ("init icnr 8x8", &["convolutions", "no kernel axis"]),
        ("init icnr 30x4x3x3 --layout torch", &["scale is 2", "30 outputs"]),
        ("init icnr:scale=0 32x4x3x3 --layout torch", &["scale is 0"]),
        ("init icnr:scale=18446744073709551615 32x4x3x3 --layout torch", &["scale is 18446744073709551615"]),
        ("init icnr:std=1,gain=2 32x4x3x3 --layout torch", &["std or gain"]),
        ("init stft 12x2x7 --layout keras", &["one input", "1 and 2"]),
        ("init stft 12x1x1 --layout keras", &["one output", "two frequencies"]),
        ("init stft 2x1x7 --layout keras", &["zero everywhere"]),
        ("init stft:window=hamm 12x1x7 --layout keras", &["`hamm`", "hamming", "blackman"]),
        ("init sinusoidal-positions 4x5", &["even number of features"]),
        ("init whisper.sinusoids 4x2", &["four features"]),
        ("init sinusoidal-positions 6", &["two or more axes"]),
        ("init embedding:padding=7 7x3", &["padding is 7", "7 rows"]),
        ("init embedding 7", &["two or more axes"]),
        ("init mimetic:heads=16,parts=2 48x16 --layout torch", &["2 parts of 16 heads", "48"]),
        ("init mimetic:parts=4 48x16 --layout torch", &["parts is 4"]),
        ("init mimetic:heads=0 48x16 --layout torch", &["heads=0"]),
        ("init mimetic 96x16 --layout torch", &["32 features", "16 inputs"]),
    ]);
}

#[test]
fn reservoirs_that_cannot_be_are_refused() {
    all_refused(&[
        ("init spectral 3x4", &["shape 3x4", "3 inputs and 4 outputs", "must be equal"]),
        ("init spectral 3x4 --layout torch", &["4 inputs and 3 outputs"]),
        ("init ring 3", &["two or more axes"]),
        ("init ring:weight=0.5 3x3x3", &["9 inputs and 3 outputs"]),
        ("init spectral:radius=0 3x3", &["radius is 0", "above 0"]),
        ("init spectral:radius=-1 3x3", &["radius is -1", "above 0"]),
        ("init spectral:density=1.1 3x3", &["density is 1.1", "between 0 and 1"]),
        ("init spectral:density=0.1,degree=1 3x3", &["degree or density", "not both"]),
        ("init spectral:degree=4 3x3", &["degree is 4", "only 3 units"]),
        ("init spectral:degree=1,exact=true 3x3", &["not both"]),
        ("init spectral:exact=true,direction=in 3x3", &["exact", "direction", "one of them"]),
        ("init spectral:direction=up 3x3", &["`up`", "in, out"]),
        ("init spectral:positive=0.5 3x3", &["positive", "distribution=bernoulli"]),
        ("init spectral:distribution=bernoulli,positive=2 3x3", &["positive is 2"]),
        ("init spectral 200000x200000 --max-memory 1GiB", &["drawn as a whole", "--max-memory"]),
        ("init spectral 16777216x16777216", &["drawn as a whole", "--max-memory"]),
        ("init spectral:radius=100 3x3 --dtype f16", &["do not fit f16"]),
        ("init fast-spectral:radius=1,density=0 3x3", &["density is 0", "above 0"]),
        ("init small-world:neighbours=3 9x9", &["neighbours is 3", "even"]),
        ("init small-world:neighbours=4 4x4", &["neighbours is 4", "only 3 others"]),
        ("init small-world:rewire=-1 9x9", &["rewire is -1"]),
        ("init cluster:clusters=4 9x9", &["clusters is 4", "does not divide 9"]),
        ("init cluster:clusters=0 9x9", &["clusters is 0"]),
        ("init chaotic:extra=-0.5 9x9", &["extra is -0.5", "between 0 and 1"]),
        ("init dale:excitatory=1.5 9x9", &["excitatory is 1.5"]),
        ("init dale:ratio=0 9x9", &["ratio is 0", "above 0"]),
        ("init line:radius=0.9 9x9", &["radius", "no cycle"]),
        ("init line:shift=0 9x9", &["shift is 0", "1 or more"]),
        ("init cycle-with-jumps:jump-size=9 9x9", &["jump-size is 9", "below the number of units, 9"]),
        ("init block-diagonal:size=0 9x9", &["size is 0"]),
        ("init pseudo-svd:density=1 9x9", &["density is 1", "0.99"]),
        ("init weighted-input 3x10", &["10 outputs and 3 inputs", "multiple"]),
        ("init minimal-input:signs=pi 300x300", &["90000 weights", "20000"]),
        ("init minimal-input:signs=pi,positive=1 3x3", &["positive", "signs=bernoulli"]),
        ("init logistic:control=5 3x3", &["control is 5", "between 0 and 4"]),
        ("init logistic:divisor=0.5 3x3", &["divisor is 0.5", "1 or more"]),
        ("init chebyshev:amplitude=2 3x3", &["amplitude is 2", "between -1 and 1"]),
    ]);
}

#[test]
fn scales_are_refused_without_what_they_follow_from() {
    all_refused(&[
        ("init fixup 3x3", &["`layers` is required", "layers=12"]),
        ("init fixup:layers=0 3x3", &["layers is 0"]),
        ("init fixup:layers=4,branch=1 3x3", &["branch is 1", "2 or more"]),
        ("init t-fixup:layers=6,part=embedding ()", &["no axis of features"]),
        ("init deepnorm 3x3", &["layers alone", "part=encoder"]),
        ("init deepnorm:layers=3,part=encoder 3x3", &["layers alone"]),
        ("init deepnorm:encoder=3,decoder=2 3x3", &["layers alone"]),
        ("init wang-init:layers=2,dim=0 3x3", &["dim is 0"]),
        ("init depth-scaled 3x3", &["`layers` is required"]),
        ("init rnn-uniform 12x3", &["hidden and gates"]),
        ("init rnn-uniform:hidden=0 12x3", &["hidden is 0"]),
        ("init rnn-uniform:gates=5 12x3 --layout torch", &["gates is 5", "12 outputs"]),
        ("init rnn-uniform:gates=0 12x3 --layout torch", &["gates is 0"]),
        ("init glorot-uniform:pool=0 3x3", &["pool is 0"]),
        ("init siren:omega=0 3x3", &["omega is 0"]),
        ("init torch-linear 3", &["fan_in", "--fan-in"]),
        ("init magnitude-scaling:magnitude=0 3x3", &["magnitude is 0"]),
        ("init variance-scaling:distribution=normal,corrected=false 3x3", &["corrected goes with"]),
    ]);
}

#[test]
fn adapters_that_do_not_go_with_their_base_are_refused() {
    all_refused(&[
        ("init pissa-a 3x4 --layout torch", &["starts from a weight", "--base FILE"]),
        ("init normal 3 --base base.npy", &["--base", "normal starts from no weight"]),
        ("init pissa-a 3x4 --base-tensor a", &["--base"]),
        ("init pissa-a 3x4 --base nowhere.npy", &["`nowhere.npy`", "No such file"]),
        ("init pissa-a 3x4 --base kept.npy", &["`kept.npy`", "it is text, and no weights"]),
        ("init pissa-a 3x4 --base two.safetensors", &["2 tensors", "--base-tensor", "`a`, `b`"]),
        ("init pissa-a 3x4 --base two.safetensors --base-tensor c", &["no tensor `c`", "`a`, `b`"]),
        ("init pissa-a 3x4 --base two.safetensors --base-tensor b", &["the base", "shape 8"]),
        ("init pissa-a 3x4 --base three.npy --layout torch", &["shape 3x4", "base of shape 2x6x4"]),
        ("init pissa-a 3x5 --base base.npy --layout torch", &["shape 3x5", "4 inputs and 6 outputs"]),
        ("init pissa-b 5x3 --base base.npy --layout torch", &["shape 5x3", "4 inputs and 6 outputs"]),
        ("init pissa-a 5x4 --base base.npy --layout torch", &["rank is 5", "between 1 and 4"]),
        ("init pissa-a 0x4 --base base.npy --layout torch", &["rank is 0", "between 1 and 4"]),
        ("init pissa-a:rank=2 3x4 --base base.npy --layout torch", &["rank is 2", "has rank 3"]),
        ("init pissa-base 6x4 --base base.npy --layout torch", &["`rank` is required"]),
        ("init pissa-base:rank=2 4x6 --base base.npy --layout torch", &["shape 4x6", "shape 6x4"]),
        ("init olora-base:rank=9 6x4 --base base.npy --layout torch", &["rank is 9", "between 1 and 4"]),
        ("init olora-a:scaling=0 3x4 --base base.npy --layout torch", &["scaling is 0", "above 0"]),
        ("init pissa-a 3x4 --base base.npy --layout torch --max-memory 100", &["above the limit", "--max-memory"]),
        ("init lora-orthogonal-a 3x4 --layout torch", &["its rank is 3", "even"]),
        ("init lora-orthogonal-b 3x5 --layout torch", &["its rank is 5", "even"]),
    ]);
}

#[test]
fn names_that_are_no_schemes_are_refused_with_what_to_do_instead() {
    all_refused(&[
        ("init lsuv 3x3", &["`lsuv`", "no scheme here", "batch of data", "`orthogonal`"]),
        ("init LSUV-init:tol=0.1 3x3", &["no scheme here", "`orthogonal`"]),
        ("init weight-norm 3x3", &["data", "`normal:std=0.05`"]),
        ("init actnorm 3", &["data", "`ones`", "`zeros`"]),
        ("init metainit 3x3", &["gradients", "`he-normal`"]),
        ("init peft.lora_ga 3x3", &["gradients", "`lora-b`"]),
        ("init loftq 3x3", &["quantising"]),
        ("init mup 3x3", &["base model"]),
        ("init gpt2 3x3", &["depends on its name", "command of their own"]),
        ("init mxnet.Mixed 3x3", &["by parameter name"]),
        ("init mxnet.init.Load 3x3", &["from a file", "fanin inspect"]),
        ("init keras.get 3x3", &["`keras.HeNormal`"]),
        ("init tf.initializers.get 3x3", &["`keras.HeNormal`"]),
        ("init torch.nn.init.calculate_gain 3x3", &["gain", "fanin list gains"]),
        ("list schemes --framework troch", &["`troch`", "did you mean `torch`?"]),
        ("list frameworks --framework torch", &["--framework", "schemes only"]),
        ("list gains --markdown", &["--markdown", "schemes or frameworks"]),
        ("list schemes --framework torch --markdown", &["--framework", "--markdown"]),
        ("init torch.kaiming_normal_:a=0.2,nonlinearity=rleu 3x3", &["`rleu`", "did you mean `relu`?"]),
        ("init torch.kaiming_normal_:a=0.2,slope=0.1 3x3", &["`slope` is given twice"]),
        ("init keras.HeNormal:a=0.2 3x3", &["no parameter `a`", "scale"]),
    ]);
}

#[test]
fn an_unknown_width_of_vectors_is_refused() {
    let folder = Folder::new();
    let ended = Ended::of(folder.fanin("init ones 3 -o w.npy").env("FANIN_CPU", "avx"));
    assert!(ended.is_refusal(), "{}", ended.told);
    assert!(ended.told.contains("`avx`") && ended.told.contains("baseline, avx2, avx512"), "{}", ended.told);
}
