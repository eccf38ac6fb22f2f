//! `fanin pretrain`: the same bytes however it is run, what it says of bad data, and what its layers make of the data.

mod data;
mod precision;

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Ended, Folder};

/// Every method with a line of options that suits data of 0 to 1.
const METHODS: &[&str] = &[
    "rbm 12-9-4 --epochs 3",
    "rbm 12-9 --epochs 2 --persistent --cd-k 2 --momentum 0.5 --weight-decay 0.001 --sparsity-cost 0.1",
    "rbm 12-9 --epochs 2 --visible gaussian --learning-rate 0.01 --scale standard",
    "dae 12-9-4 --epochs 3",
    "dae 12-9 --epochs 2 --activation tanh --loss squared --corruption gaussian --momentum 0.9 --learning-rate 0.01",
    "pca 12-9-4",
    "pca 12-12 --whiten zca --epsilon 0.1",
    "kmeans 12-9-4",
    "lsuv 12-9-7-4",
    "weight-norm 12-9-4 --activation tanh",
];

/// A folder with 300 samples of 12 features.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.done("init uniform:low=0,high=1 300x12 -o x.npy");
    folder
}

#[track_caller]
fn refused(folder: &Folder, line: &str, words: &[&str]) {
    let before = folder.contents();
    let ended = Ended::of(&mut folder.fanin(&format!("pretrain {line}")));
    let message = ended.error();
    assert_eq!(ended.status, 2, "{line}: {}", ended.stderr);
    assert!(words.iter().all(|word| message.contains(word)), "{line}: {words:?} are not in {message:?}");
    assert_eq!(folder.contents(), before, "{line} changed the folder");
}

#[test]
fn any_number_of_threads_and_any_vectors_learn_the_same_bytes() {
    let folder = folder();
    for method in METHODS {
        folder.done(&format!("pretrain {method} --data x.npy -q --force --threads 1 -o one.npz"));
        for (threads, cpu) in [(3, "avx2"), (2, "baseline")] {
            let line = format!("pretrain {method} --data x.npy -q --force --threads {threads} -o other.npz");
            let ended = Ended::of(folder.fanin(&line).env("FANIN_CPU", cpu));
            assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
            assert!(folder.read("one.npz") == folder.read("other.npz"), "{line} on {cpu}");
        }
    }
}

#[test]
fn samples_of_bits_give_the_same_weights_for_any_storage() {
    let folder = Folder::new();
    let bit = |n: usize| (n.wrapping_mul(2_654_435_761) >> 7).is_multiple_of(4);
    let row = |sample: usize| (0..150).map(|at| u8::from(bit(sample * 150 + at)).to_string()).collect::<Vec<_>>();
    folder.write("b.csv", (0..203).map(|sample| row(sample).join(",") + "\n").collect::<String>());
    for options in ["", "--persistent --cd-k 2", "--momentum 0.5"] {
        let line = format!("pretrain rbm 150-70-20 {options} --epochs 2 --batch 70 --data b.csv -q --force");
        folder.done(&format!("{line} --threads 1 -o one.npz"));
        // What learning takes, so that nothing is left for keeping samples.
        let streamed = "--threads 2 --max-memory 15176800";
        for (further, cpu) in [("--threads 3", "avx2"), ("--threads 2", "baseline"), (streamed, "avx2")] {
            let ended = Ended::of(folder.fanin(&format!("{line} {further} -o other.npz")).env("FANIN_CPU", cpu));
            assert_eq!(ended.status, 0, "{options} {further}: {}", ended.stderr);
            assert!(folder.read("one.npz") == folder.read("other.npz"), "{options} {further} on {cpu}");
        }
    }
}

#[test]
fn verify_learns_weights_again() {
    let folder = folder();
    folder.done("init uniform:low=0,high=1 300x12 --seed 1 -o y.npy");
    for method in METHODS {
        for (extension, layout) in [("npz", "torch"), ("safetensors", "keras"), ("json", "io")] {
            let out = format!("w.{extension}");
            folder.done(&format!("pretrain {method} --data x.npy -q --force --layout {layout} --seed 5 -o {out}"));
            let said = String::from_utf8(folder.done(&format!("verify {out} --data x.npy"))).unwrap();
            assert!(said.starts_with("equal: "), "{method}: {said}");
        }
    }
    for (line, words) in [
        ("verify w.npz", &["pass that file as --data FILE"][..]),
        ("verify w.npz --data y.npy", &["SHA-256"]),
        ("verify x.npy --scheme normal --seed 1 --data x.npy", &["--data"]),
    ] {
        let ended = Ended::of(&mut folder.fanin(line));
        assert!(ended.is_refusal() && words.iter().all(|word| ended.stderr.contains(word)), "{line}: {ended:?}");
    }
    let mut bytes = folder.read("w.safetensors");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    folder.write("w.safetensors", bytes);
    assert_eq!(Ended::of(&mut folder.fanin("verify w.safetensors --data x.npy")).status, 1);
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_bytes() {
    let folder = folder();
    for method in ["rbm 12-40-20 --persistent --momentum 0.5", "dae 12-40-20 --momentum 0.5"] {
        let line = format!("pretrain {method} --epochs 60 --data x.npy -q --batch 2 --checkpoint-every 1");
        folder.done(&format!("{line} --force -o whole.npz"));
        let mut child = folder.fanin(&format!("{line} -o w.npz")).spawn().unwrap();
        let begun = Instant::now();
        while !folder.join("w.npz.checkpoint").exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoint came");
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!folder.join("w.npz").exists(), "it was done before it could be killed");
        refused(&folder, &format!("{} -o w.npz", &line["pretrain ".len()..]), &["use --resume to continue"]);
        refused(
            &folder,
            &format!("{} --seed 1 --resume -o w.npz", &line["pretrain ".len()..]),
            &["a run with other data, options"],
        );
        folder.done(&format!("{line} --resume -o w.npz"));
        assert!(folder.read("w.npz") == folder.read("whole.npz"), "{method}");
        assert!(!folder.names().contains(&"w.npz.checkpoint".into()), "the checkpoint stays");
        std::fs::remove_file(folder.join("w.npz")).unwrap();
        let ended = Ended::of(&mut folder.fanin(&format!("{} --resume -o w.npz", line.replace(" -q", ""))));
        assert!(ended.status == 0 && ended.stderr.contains("note: no checkpoint"), "{}", ended.stderr);
        assert!(folder.read("w.npz") == folder.read("whole.npz"), "{method}");
        std::fs::remove_file(folder.join("w.npz")).unwrap();
    }
}

#[test]
fn every_kind_of_file_gives_the_same_samples() {
    let folder = folder();
    let text =
        String::from_utf8(folder.done("init uniform:low=0,high=1 x=300x12 --dtype f64 --format json -o -")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows =
        parsed["tensors"]["x"]["values"].as_array().or(parsed["tensors"]["x"]["data"].as_array()).unwrap().clone();
    let mut table = String::from("a,b,c,d,e,f,g,h,i,j,k,l\n");
    for row in &rows {
        let fields: Vec<String> = row.as_array().unwrap().iter().map(ToString::to_string).collect();
        writeln!(table, "{}", fields.join(",")).unwrap();
    }
    folder.write("x.csv", &table);
    folder.write("x.tsv", table.replace(',', "\t"));
    for name in ["x64.npz", "x64.safetensors", "x64.pt"] {
        folder.done(&format!("init uniform:low=0,high=1 x=300x12 y=3 --dtype f64 -q -o {name}"));
    }
    folder.done("pretrain rbm 12-5 --epochs 1 --data x.csv -q -o csv.raw");
    for data in ["x.tsv", "x64.npz --data-tensor x", "x64.safetensors --data-tensor x", "x64.pt --data-tensor x"] {
        folder.done(&format!("pretrain rbm 12-5 --epochs 1 --data {data} -q --force -o other.raw"));
        assert!(folder.read("other.raw") == folder.read("csv.raw"), "{data}");
    }
}

#[test]
fn bad_data_and_options_are_refused_before_anything_is_written() {
    let folder = folder();
    folder.done("init nan 20x12 -o nan.npy");
    folder.done("init constant:2 20x12 -o two.npy");
    folder.done("init zeros 20x12 -o zero.npy");
    folder.done("init normal 1x12 -o one.npy");
    folder.done("init normal 0x12 -o none.npy");
    folder.done("init normal 12 -o vector.npy");
    folder.done("init normal a=3x12 b=3x12 -o several.npz");
    let whole = folder.read("x.npy");
    folder.write("short.npy", &whole[..whole.len() - 5]);
    folder.write("empty.npy", "");
    folder.write("empty.csv", "");
    folder.write("word.csv", "1,2\n3,x\n");
    folder.write("first.csv", "1,x\n3,4\n");
    folder.write("ragged.csv", "1,2\n3\n");
    for (line, words) in [
        ("rbm 12-5 --data nan.npy", &["nan.npy", "sample 0, feature 0 is NaN"][..]),
        ("rbm 12-5 --data two.npy", &["two.npy", "holds 2", "--scale minmax"]),
        ("dae 12-5 --data two.npy", &["two.npy", "holds 2", "--loss squared"]),
        ("rbm 12-5 --data one.npy --visible gaussian", &["one.npy", "2 are needed"]),
        ("pca 12-5 --data one.npy", &["one.npy", "2 are needed"]),
        ("rbm 12-5 --data none.npy", &["none.npy", "0x12"]),
        ("rbm 12-5 --data vector.npy", &["vector.npy", "samples x features"]),
        ("rbm 12-5 --data several.npz", &["several.npz", "--data-tensor", "`a`, `b`"]),
        ("rbm 12-5 --data several.npz --data-tensor c", &["several.npz", "`c`"]),
        ("rbm 12-5 --data short.npy", &["short.npy", "truncated"]),
        ("rbm 12-5 --data empty.npy", &["empty.npy", "empty"]),
        ("rbm 2-5 --data empty.csv", &["empty.csv", "it is empty"]),
        ("rbm 2-5 --data word.csv", &["word.csv", "line 2, column 2", "`x`"]),
        ("rbm 2-5 --data first.csv", &["first.csv", "line 1, column 2", "`x`"]),
        ("rbm 2-5 --data ragged.csv", &["ragged.csv", "line 2"]),
        ("rbm 2-5 --data nothing.csv", &["nothing.csv"]),
        ("rbm 13-5 --data x.npy", &["12 features", "13"]),
        ("rbm 12-5 --data x.npy --visible gaussian --learning-rate 1e9", &["x.npy", "diverges", "--learning-rate"]),
        ("rbm 12-5 --data x.npy --epochs 0", &["epochs is 0"]),
        ("rbm 12-5 --data x.npy --momentum 1", &["momentum is 1"]),
        ("rbm 12-5 --data x.npy --noise 0.5", &["rbm", "noise"]),
        ("rbm 12-5 --data x.npy --whiten pca", &["rbm has no option --whiten", "use it with pca"]),
        ("rbm:batch=2 12-5 --data x.npy", &["`rbm:batch=2`", "flags", "rbm --"]),
        ("rmb 12-5 --data x.npy", &["`rmb`", "`rbm`"]),
        ("pca 12-13 --data x.npy", &["13 directions", "12 features"]),
        ("pca 12-5 --data x.npy --scheme normal", &["--scheme", "pca"]),
        ("pca 12-5 --data x.npy --whiten zca", &["zca"]),
        ("kmeans 12-301 --data x.npy", &["301 filters", "300 samples"]),
        ("lsuv 12-5 --data zero.npy", &["zero.npy", "layer 0"]),
        ("rbm 12-99999999 --data x.npy --max-memory 1MiB", &["--max-memory"]),
        ("rbm 12-5 --data x.npy --seed -1", &["-1"]),
    ] {
        let before = folder.names();
        refused(&folder, &format!("{line} -q -o w.npz"), words);
        assert_eq!(folder.names(), before, "{line}");
    }
    // A year of epochs: the test ends only if the refusal comes first.
    refused(&folder, "rbm 12-5 --data x.npy -q --epochs 1000000000", &["npy holds one tensor, not 3", "-o"]);
    folder.done("pretrain rbm 12-5 --data x.npy -q -o w.npz");
    refused(&folder, "rbm 12-5 --data x.npy -q -o w.npz", &["w.npz", "--force"]);
}

#[test]
fn constant_features_are_reported_and_do_no_harm() {
    let folder = Folder::new();
    folder.write(
        "c.csv",
        ["0,0.5,0\n", "1,0.5,0\n", "0,0.5,1\n", "1,0.5,0\n", "0,0.5,0\n", "1,0.5,1\n"].concat().repeat(9),
    );
    for method in ["rbm 3-2", "dae 3-2", "pca 3-2 --whiten pca", "kmeans 3-2", "lsuv 3-2", "weight-norm 3-2"] {
        for scale in ["none", "minmax", "standard"] {
            let wide = if method.starts_with("rbm") { "--visible gaussian" } else { "" };
            let wide = if method.starts_with("dae") { "--loss squared" } else { wide };
            let line = format!("pretrain {method} {wide} --scale {scale} --data c.csv --force -o w.json");
            let ended = Ended::of(&mut folder.fanin(&line));
            assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
            assert!(ended.stderr.contains("note: 1 of 3 features are constant"), "{line}: {}", ended.stderr);
        }
    }
}

#[test]
fn twenty_layers_have_unit_variance_whatever_the_activation() {
    let folder = folder();
    let sizes = ["12"; 21].join("-");
    for activation in ["relu", "tanh"] {
        let line = format!("pretrain lsuv {sizes} --activation {activation} --scale standard --data x.npy");
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --log {activation}.jsonl -o {activation}.npz")));
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        let log = String::from_utf8(folder.read(&format!("{activation}.jsonl"))).unwrap();
        let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for layer in 0..20 {
            let of_layer = lines.iter().rfind(|line| line["layer"] == layer).unwrap();
            let variance = of_layer["training"]["variance"].as_f64().unwrap();
            assert!((variance - 1.0).abs() < 0.02, "{activation}, layer {layer}: {variance}");
        }
    }
}

#[test]
fn the_error_falls_and_is_reported_every_epoch() {
    let folder = folder();
    // Samples of three kinds, which are there to be learned.
    let row =
        |n: usize| (0..12).map(|at| u8::from((at + n % 3).is_multiple_of(3)).to_string()).collect::<Vec<_>>().join(",");
    folder.write("k.csv", (0..200).map(|n| row(n) + "\n").collect::<String>());
    for (method, measure) in
        [("rbm", "reconstruction error"), ("dae", "cross-entropy"), ("kmeans", "reconstruction error")]
    {
        let line =
            format!("pretrain {method} 12-6 --epochs 20 --validation 0.25 --data k.csv --log l.jsonl --force -o w.npz");
        let ended = Ended::of(folder.fanin(&line).args(["--plot", "p.svg"]));
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        let log = String::from_utf8(folder.read("l.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.len() == 20 || method == "kmeans", "{method}: {} lines", lines.len());
        let at = |line: &serde_json::Value, part: &str| line[part][measure].as_f64().unwrap();
        let (first, last) = (&lines[0], &lines[lines.len() - 1]);
        assert!(method == "kmeans" || at(last, "training") < 0.7 * at(first, "training"), "{method}: {first} {last}");
        assert!((at(last, "held_out") - at(last, "training")).abs() <= 0.5 * at(first, "training"), "{method}: {last}");
        assert!(ended.stderr.contains(&format!("epoch 1 of 20: {measure} ")) && ended.stderr.contains("held out"));
        let picture = String::from_utf8(folder.read("p.svg")).unwrap();
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>") && picture.contains(measure));
    }
}

/// Each sample is changed in turn: one that is held out changes its own measure alone, and any other the weights.
#[test]
fn held_out_samples_are_measured_but_never_learned_from() {
    const SAMPLES: usize = 24;
    let folder = Folder::new();
    folder.done(&format!("init uniform:low=0,high=1 {SAMPLES}x12 -o x.npy"));
    let data = folder.read("x.npy");
    let learned = |method: &str, data: &[u8]| {
        folder.write("x.npy", data);
        folder.done(&format!(
            "pretrain {method} --validation 0.25 --data x.npy -q --force --threads 1 --log l.jsonl --no-fsync -o w.raw"
        ));
        let log = String::from_utf8(folder.read("l.jsonl")).unwrap();
        let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        (folder.read("w.raw"), last["training"].clone(), last["held_out"].clone())
    };
    let minmax = ["rbm 12-9 --epochs 2 --scale minmax", "dae 12-9-4 --epochs 2 --scale minmax"];
    for method in METHODS.iter().chain(&minmax) {
        let (weights, training, held_out) = learned(method, &data);
        let mut apart = 0;
        for sample in 0..SAMPLES {
            let mut changed = data.clone();
            let end = data.len() - sample * 48;
            changed[end - 48..end].chunks_exact_mut(4).zip(1u8..).for_each(|(value, number)| {
                value.copy_from_slice(&(f32::from(number) / 13.0).to_le_bytes());
            });
            let (other_weights, other_training, other_held_out) = learned(method, &changed);
            if other_weights == weights {
                assert!(other_training == training && other_held_out != held_out, "{method}, {sample} from the end");
                apart += 1;
            }
        }
        assert_eq!(apart, SAMPLES / 4, "{method}");
    }
}

#[test]
fn a_held_out_outlier_is_clipped_with_a_note_if_the_method_needs_the_unit_interval() {
    let folder = Folder::new();
    let row = |n: usize| if n == 7 { "9,-9\n".into() } else { format!("0.{},0.{}\n", n % 10, n * 7 % 10) };
    folder.write("x.csv", (0..40).map(row).collect::<String>());
    for (method, clips) in [("rbm 2-2", true), ("dae 2-2", true), ("dae 2-2 --loss squared", false), ("pca 2-1", false)]
    {
        let noted: Vec<bool> = (0..12)
            .map(|seed| {
                let line = format!("pretrain {method} --scale minmax --validation 0.25 --seed {seed} --data x.csv");
                let ended = Ended::of(&mut folder.fanin(&format!("{line} --force -o w.npz")));
                assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
                folder.done("verify w.npz --data x.csv");
                ended.stderr.contains("note: 2 of 2 features exceed the range of the training samples")
            })
            .collect();
        // The outlier is held out with some seeds and trained on with others.
        assert_eq!(noted.contains(&true), clips, "{method}");
        assert!(noted.contains(&false), "{method}");
    }
}
