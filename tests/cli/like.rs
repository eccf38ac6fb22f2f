//! `--like FRAMEWORK`: what is drawn and what is refused, with no framework at hand.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Ended, Folder};

/// The words after `--like`, each with the name of its generator.
fn likes(folder: &Folder) -> Vec<[String; 2]> {
    let listed = String::from_utf8(folder.done("list generators")).unwrap();
    let rows = listed.lines().filter_map(|line| {
        let (name, rest) = line.split_once(' ')?;
        let word = rest.trim_start().strip_prefix("--like ")?.split_once(": ")?.0;
        Some([word.to_string(), name.to_string()])
    });
    rows.collect()
}

fn schemes(folder: &Folder) -> Vec<String> {
    let listed = String::from_utf8(folder.done("list schemes")).unwrap();
    let rows = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
    rows.map(|(name, _)| name.to_string()).collect()
}

/// Runs each line on two threads.
fn run(lines: &[String], each: impl Fn(&str, &Ended) + Sync) {
    let (next, folder) = (AtomicUsize::new(0), Folder::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(line) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
                    each(line, &Ended::of(&mut folder.fanin(line)));
                }
            });
        }
    });
}

#[test]
fn every_scheme_is_drawn_or_refused_under_every_framework() {
    let folder = Folder::new();
    let (likes, schemes) = (likes(&folder), schemes(&folder));
    assert!(likes.len() >= 6 && schemes.len() >= 100, "{} frameworks, {} schemes", likes.len(), schemes.len());
    let tensors = ["w=4x6", "w=3x3x5x8 v=6 --fan-in 3 --fan-out 2", "w=0x4 --dtype bf16"];
    let mut lines = Vec::new();
    for [like, _] in &likes {
        let line = |scheme: &String| {
            tensors.map(|tensors| format!("init {scheme} {tensors} --like {like} --format safetensors -o -"))
        };
        lines.extend(schemes.iter().flat_map(line));
    }
    let drawn = AtomicUsize::new(0);
    run(&lines, |line, ended| {
        assert!(ended.status == 0 || ended.is_refusal(), "fanin {line}: {}, {}", ended.status, ended.stderr);
        drawn.fetch_add(usize::from(ended.status == 0), Ordering::Relaxed);
    });
    let drawn = drawn.into_inner();
    assert!(drawn >= 20 * likes.len() && 2 * drawn < lines.len(), "{drawn} of {} were drawn", lines.len());
}

#[test]
fn a_file_that_names_another_framework_than_its_own_is_compared_or_refused() {
    let folder = Folder::new();
    let (likes, mut message) = (likes(&folder), BTreeSet::new());
    for (number, scheme) in schemes(&folder).iter().enumerate() {
        let ended = Ended::of(&mut folder.fanin(&format!("init {scheme} w=4x6 --format safetensors -o -")));
        if ended.status != 0 {
            continue;
        }
        let [_, generator] = &likes[number % likes.len()];
        let (length, rest) = ended.stdout.split_first_chunk().unwrap();
        let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
        let header = String::from_utf8(header.to_vec()).unwrap().replace("native-1", generator);
        let length = u64::try_from(header.len()).unwrap().to_le_bytes();
        folder.write("forged.safetensors", [&length[..], header.as_bytes(), data].concat());
        let verified = Ended::of(&mut folder.fanin("verify forged.safetensors"));
        let orderly = matches!(verified.status, 0 | 1) || verified.is_refusal();
        assert!(orderly, "{scheme} by {generator}: {}, {}", verified.status, verified.stderr);
        message.insert(verified.status);
    }
    assert!(message.contains(&1) && message.contains(&2), "some have other values there, and some none: {message:?}");
}

#[test]
fn steps_of_keys_are_refused_for_seeds_without_keys() {
    let folder = Folder::new();
    for like in ["torch", "tensorflow", "keras:jax", "keras:tensorflow", "numpy-legacy"] {
        for step in ["split=1/2", "fold-in=3"] {
            let ended =
                Ended::of(&mut folder.fanin(&format!("init normal w=4x6 --like {like} --seed 0,{step} -o w.npy")));
            assert!(ended.is_refusal() && ended.stderr.contains("seed"), "{like} {step}: {}", ended.stderr);
        }
    }
}

#[test]
fn the_layers_of_a_model_take_the_seeds_that_keras_gives_them() {
    let folder = Folder::new();
    folder.write(
        "model.toml",
        r#"
        [tensors]
        e = { layer = "embedding", in = 100, out = 16 }
        l = { layer = "lstm", in = 16, out = 8 }
        g = { layer = "gru", in = 8, out = 8 }
        r = { layer = "rnn", in = 8, out = 6 }
        c = { layer = "conv1d", in = 6, out = 6, kernel = 3 }
        n = { layer = "batch_norm", size = 6 }
        d = { layer = "dense", in = 6, out = 4 }
        "#,
    );
    // keras.utils.set_random_seed(7), a Sequential of these layers, and the bits of the first weights of the last.
    let first =
        [("jax", [0xbe87_e766, 0xbeac_f095, 0x3d10_5f7e]), ("tensorflow", [0x3f24_d05a, 0xbe85_8e8e, 0xbf12_ea69])];
    for (backend, bits) in first {
        let line = format!(
            "model model.toml --like keras:{backend} --seed 7 --slice d/kernel=:1,:3 --format raw --force -o m.raw"
        );
        folder.done(&line);
        let values: Vec<u8> = bits.iter().flat_map(|bits: &u32| bits.to_le_bytes()).collect();
        let file = folder.read("m.raw");
        assert!(file.windows(values.len()).any(|part| part == values), "{backend}");
        let line = format!("model model.toml --like keras:{backend} --seed 7 --force -o m.safetensors");
        folder.done(&line);
        folder.done("verify m.safetensors");
    }
}

#[test]
fn the_framework_selects_the_schemes_of_layers_and_the_layout_their_axes() {
    let folder = Folder::new();
    for (like, layout, kind, tensors) in [
        ("torch", "keras", "dense", &["d/kernel=3x5 f32: fan-in-uniform;", "d/bias=5 f32: fan-in-uniform;"][..]),
        ("torch", "oi", "dense", &["d.weight=5x3 f32: fan-in-uniform;", "d.bias=5 f32: fan-in-uniform;"]),
        ("keras:jax", "torch", "dense", &["d.weight=5x3 f32: glorot-uniform:", "d.bias=5 f32: zeros;"]),
        ("lasagne", "keras", "dense", &["d/kernel=3x5 f32: glorot-uniform:", "d/bias=5 f32: zeros;"]),
        ("jax", "torch", "dense", &["d.weight=5x3 f32: variance-scaling:scale=1,mode=fan-in,", "d.bias=5 f32: zeros;"]),
        ("torch", "mlx", "embedding", &["d.weight=3x5 f32: embedding:std=1;"]),
        ("torch", "keras", "lstm", &["d/kernel=3x20 f32: rnn-uniform:gates=4;", "d/bias=20 f32: rnn-uniform:gates=4;"]),
        ("torch", "keras", "gru", &["d/bias=2x15 f32: rnn-uniform:hidden=5;"]),
        ("torch", "jax", "lstm", &["d.ii.kernel=3x5 f32: rnn-uniform:hidden=5;"]),
        ("keras:jax", "torch", "lstm", &["d.bias_ih_l0=20 f32: lstm-bias:", "d.bias_hh_l0=20 f32: zeros;"]),
        ("keras:jax", "jax", "lstm", &["d.hi.bias=5 f32: zeros;", "d.hf.bias=5 f32: ones;"]),
    ] {
        let layer = format!("d = {{ layer = \"{kind}\", in = 3, out = 5 }}");
        folder.write("r.toml", format!("like = \"{like}\"\nlayout = \"{layout}\"\n[tensors]\n{layer}\n"));
        let ended = Ended::of(&mut folder.fanin("model r.toml --format npz -o -"));
        let all_told = tensors.iter().all(|tensor| ended.stderr.contains(tensor));
        assert!(ended.status == 0 && all_told, "{like} in {layout}: {}", ended.stderr);
    }
}

#[test]
fn a_layer_without_weights_takes_a_seed_only_in_keras() {
    let folder = Folder::new();
    let drawn = |like: &str, before: &str| {
        let dense = "d = { layer = \"dense\", in = 3, out = 5 }";
        folder.write("r.toml", format!("like = \"{like}\"\n[tensors]\n{before}\n{dense}\n"));
        folder.done("model r.toml --format npz -o -")
    };
    for (like, is_keras) in [("keras:numpy", true), ("keras:torch", true), ("torch", false), ("jax", false)] {
        let [none, one, two] = ["", "x = { layer = \"dropout\" }", "x = { layer = \"dropout\", seeds = 2 }"]
            .map(|before| drawn(like, before));
        assert_eq!((none == one, one == two), (!is_keras, !is_keras), "{like}");
    }
    for (layer, message) in [
        ("scheme = \"zeros\"", "`scheme`: layer `dropout` has no weights"),
        ("dtype = \"f64\"", "`dtype`: layer `dropout` has no weights"),
        ("seeds = 0", "must be 1 or more"),
        ("seeds = 5000", "at most 2^10"),
        ("rate = 0.5", "unknown parameter `rate`"),
    ] {
        folder.write("r.toml", format!("[tensors]\nx = {{ layer = \"dropout\", {layer} }}\nw = [3]\n"));
        let ended = Ended::of(&mut folder.fanin("model r.toml -o w.npz"));
        assert!(ended.is_refusal() && ended.stderr.contains(message), "{layer}: {}", ended.stderr);
    }
}

#[test]
fn keras_takes_the_seeds_and_constants_that_its_backend_does() {
    let folder = Folder::new();
    for (line, message) in [
        ("init keras.RandomNormal a=3 b=3 --like keras:torch --seed 2147483648", Some("-2^31 to 2^31-1")),
        ("init keras.RandomNormal a=3 b=3 --like keras:torch --seed=-2147483648", None),
        ("init keras.RandomNormal a=3 --like keras:torch --seed 2147483648", None),
        ("mlp 3-4-5 --like keras:torch --seed 4294967295", None),
        ("init constant:0.1 a=3 --like keras:tensorflow --dtype f64", Some("use 0.10000000149011612")),
        ("init constant:1e39 a=3 --like keras:tensorflow --dtype f64", Some("at most 3.4028235e38")),
        ("init constant:0.1 a=3 --like keras:jax --dtype f64", None),
        ("init constant:0.1 a=3 --like keras:torch --dtype f64", None),
        ("init constant:0.1 a=3 --like keras:numpy --dtype f64", None),
        ("init stft a=8x1x257 --like keras:tensorflow --dtype bf16", Some("cannot count to 257 in bf16")),
        ("init stft a=8x1x257 --like keras:jax --dtype bf16", None),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --format npz -o -")));
        match message {
            Some(message) => assert!(ended.is_refusal() && ended.stderr.contains(message), "{line}: {}", ended.stderr),
            None => assert!(ended.status == 0, "{line}: {}", ended.stderr),
        }
    }
}

#[test]
fn every_framework_draws_several_tensors_a_recipe_a_template_and_a_family() {
    let folder = Folder::new();
    folder.done("init normal a=6x4 b=4 -q -o template.safetensors");
    folder.write("rules.toml", "[rules]\n\"*\" = \"normal\"\n");
    folder.write(
        "recipe.toml",
        "[tensors]\na = { shape = [3, 4], scheme = \"uniform\" }\nb = { shape = [3], scheme = \"zeros\" }\n",
    );
    let sizes = "--set n_layer=1 --set n_embd=32 --set n_head=2 --set vocab_size=64 --set n_positions=16";
    for [like, _] in likes(&folder) {
        let gpt2 = format!("model gpt2 {sizes}");
        let mut lines = vec![
            "init normal a=3x4 b=5",
            "init uniform a=3x4 b=5",
            "model recipe.toml",
            "model template.safetensors --rules rules.toml",
        ];
        // Lasagne has no scheme of ones.
        lines.extend((like != "lasagne").then_some(gpt2.as_str()));
        // Frameworks without layers of their own say so.
        let has_layers = !like.starts_with("numpy") && like != "tensorflow";
        lines.extend(has_layers.then_some("mlp 3-4-2"));
        for line in lines {
            folder.done(&format!("{line} --like {like} --seed 3 -q --force -o w.safetensors"));
            folder.done("verify w.safetensors");
        }
        let ended = Ended::of(&mut folder.fanin(&format!("mlp 3-4-2 --like {like} -o w.npz --force")));
        let is_told = ended.is_refusal() && ended.stderr.contains("has no dense layers (");
        assert_eq!(is_told, !has_layers, "{like}: {ended:?}");
    }
}

#[test]
fn a_name_with_one_meaning_in_all_frameworks_keeps_it_under_every_framework() {
    let folder = Folder::new();
    for (like, name, means) in [
        ("jax", "randn", "normal:std=1"),
        ("torch", "gaussian", "normal:std=1"),
        ("keras:numpy", "rand", "uniform:low=0,high=1"),
        ("numpy", "normal_", "normal:std=1"),
    ] {
        let report = String::from_utf8(folder.done(&format!("init {name} 3 --like {like} --dry-run --json"))).unwrap();
        assert!(report.contains(means), "{name} --like {like}: {report}");
    }
}
