//! A slice has the values of the full tensor, for every distribution, dtype, format and slice.

use serde_json::Value;

use crate::common::{Ended, Folder};

/// Each kind of distribution: elementwise, by units, by position, and joint.
const DISTRIBUTIONS: [&str; 9] = [
    "he-normal",
    "uniform:low=-1,high=3",
    "truncated-normal:std=0.5,low=-1,high=1",
    "orthogonal",
    "sparse:nonzeros=2",
    "constant:0.25",
    "identity",
    "laplace:scale=0.2",
    "torch.kaiming_uniform_",
];

const DTYPES: [(&str, usize); 4] = [("f64", 8), ("f32", 4), ("f16", 2), ("bf16", 2)];

/// The values of a tensor named `w` as bytes.
#[track_caller]
fn values(folder: &Folder, line: &str, bytes: usize) -> Vec<u8> {
    let file = folder.done(&format!("{line} -q --format npy -o -"));
    // A header fills up to a multiple of 64 bytes.
    let header = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    assert_eq!(file.len() - header, bytes, "{line}");
    file[header..].to_vec()
}

/// Copies the values of a slice to their positions in the full tensor.
fn put(whole: &mut [u8], size: usize, axes: &[usize], ranges: &[(usize, usize)], part: &[u8]) {
    let lengths: Vec<usize> = ranges.iter().map(|(start, end)| end - start).collect();
    for (number, element) in part.chunks_exact(size).enumerate() {
        let (mut rest, mut stride, mut place) = (number, 1, 0);
        for axis in (0..axes.len()).rev() {
            place += (rest % lengths[axis] + ranges[axis].0) * stride;
            rest /= lengths[axis];
            stride *= axes[axis];
        }
        whole[place * size..][..size].copy_from_slice(element);
    }
}

/// Every combination of the parts that the axes are cut into.
fn parts(cuts: &[&[usize]]) -> Vec<Vec<(usize, usize)>> {
    let mut parts = vec![Vec::new()];
    for bounds in cuts {
        let ranges = bounds.windows(2).map(|pair| (pair[0], pair[1]));
        parts = ranges
            .flat_map(|range| parts.iter().map(move |before: &Vec<_>| [before.as_slice(), &[range]].concat()))
            .collect();
    }
    parts
}

fn written(ranges: &[(usize, usize)]) -> String {
    ranges.iter().map(|(start, end)| format!("{start}:{end}")).collect::<Vec<_>>().join(",")
}

#[track_caller]
fn slices_cover_the_tensor(folder: &Folder, command: &str, size: usize, axes: &[usize], cuts: &[&[usize]]) {
    let bytes = axes.iter().product::<usize>() * size;
    let whole = values(folder, command, bytes);
    let mut union = vec![0xaa; bytes];
    for ranges in parts(cuts) {
        let bytes = size * ranges.iter().map(|(start, end)| end - start).product::<usize>();
        let part = values(folder, &format!("{command} --slice w={}", written(&ranges)), bytes);
        put(&mut union, size, axes, &ranges, &part);
    }
    assert!(union == whole, "{command}: the slices are not the whole, cut at {cuts:?}");
}

#[test]
fn the_slices_of_a_matrix_make_the_full_tensor_for_every_distribution_and_dtype() {
    let folder = Folder::new();
    for distribution in DISTRIBUTIONS {
        for (dtype, size) in DTYPES {
            let command = format!("init {distribution} w=12x8 --seed 5 --dtype {dtype}");
            slices_cover_the_tensor(&folder, &command, size, &[12, 8], &[&[0, 5, 12], &[0, 8]]);
            slices_cover_the_tensor(&folder, &command, size, &[12, 8], &[&[0, 12], &[0, 1, 8]]);
            slices_cover_the_tensor(&folder, &command, size, &[12, 8], &[&[0, 4, 12], &[0, 3, 8]]);
        }
    }
}

#[test]
fn tensors_of_more_axes_are_cut_along_any_of_them() {
    let folder = Folder::new();
    for distribution in ["he-normal", "orthogonal", "delta-orthogonal", "dirac"] {
        let command = format!("init {distribution} w=3x3x4x6 --dtype bf16 --layout kkio");
        slices_cover_the_tensor(&folder, &command, 2, &[3, 3, 4, 6], &[&[0, 3], &[0, 3], &[0, 4], &[0, 2, 6]]);
        slices_cover_the_tensor(&folder, &command, 2, &[3, 3, 4, 6], &[&[0, 1, 3], &[0, 3], &[0, 3, 4], &[0, 6]]);
    }
    let command = "init normal:std=0.02 w=5x7x9";
    slices_cover_the_tensor(&folder, command, 4, &[5, 7, 9], &[&[0, 5], &[0, 7], &[0, 4, 9]]);
    slices_cover_the_tensor(&folder, command, 4, &[5, 7, 9], &[&[0, 2, 5], &[0, 1, 6, 7], &[0, 8, 9]]);
    slices_cover_the_tensor(&folder, "init normal:std=0.02 w=9", 4, &[9], &[&[0, 4, 9]]);
}

#[test]
fn slices_of_many_chunks_make_the_full_tensor_for_any_number_of_threads() {
    let folder = Folder::new();
    let command = "init glorot-normal w=700x1100 --threads 3";
    slices_cover_the_tensor(&folder, command, 4, &[700, 1100], &[&[0, 350, 700], &[0, 1100]]);
    slices_cover_the_tensor(&folder, command, 4, &[700, 1100], &[&[0, 700], &[0, 33, 1100]]);
}

#[test]
fn bounds_may_be_omitted_and_omitted_axes_are_complete() {
    let folder = Folder::new();
    let init = "init normal w=6x4 b=4 --format safetensors -q -o";
    for (short, long) in [("w=2:", "w=2:6,0:4"), ("w=:,1:", "w=0:6,1:4"), ("w=:3,:1", "w=0:3,0:1"), ("b=:", "b=0:4")] {
        assert_eq!(folder.done(&format!("{init} - --slice {short}")), folder.done(&format!("{init} - --slice {long}")));
    }
    let both = folder.done("init normal w=6x4 b=4 --format safetensors -q -o - --slice w=2:4 --slice b=1:2");
    assert!(String::from_utf8_lossy(&both).contains(r#""slice\":{\"of\":[4],\"start\":[1]}"#));
}

#[test]
fn the_recipe_of_a_slice_gives_its_distribution_again() {
    let folder = Folder::new();
    for (format, _) in [("npz", 0), ("safetensors", 0), ("json", 0)] {
        for distribution in DISTRIBUTIONS {
            let file = format!("w.{format}");
            folder.done(&format!("init {distribution} w=12x8 --slice w=3:7,2:5 --force -q -o {file}"));
            let message: Value = serde_json::from_slice(&folder.done(&format!("inspect {file} --json"))).unwrap();
            let (tensor, notes) = (&message["tensors"][0], message["notes"].as_array().unwrap());
            assert!(notes.is_empty(), "{format} {distribution}: {notes:?}");
            assert_eq!(tensor["shape"], serde_json::json!([4, 3]), "{format} {distribution}");
            assert!(tensor["expected"].is_object(), "{format} {distribution}: {tensor}");
        }
    }
}

#[test]
fn the_report_shows_the_part_and_the_full_shape() {
    let folder = Folder::new();
    let message = Ended::of(&mut folder.fanin("init he-normal w=12x8 --slice w=3:7,2: -o w.npy")).stderr;
    assert!(message.contains("w=4x6 [3:7, 2:8] of 12x8 f32: he-normal"), "{message}");
    assert!(message.contains("fan_in 12, fan_out 8"), "the fans are those of the whole: {message}");
    let report = folder.done("init he-normal w=12x8 --slice w=3:7,2: --json -o v.npy");
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["tensors"][0]["slice"], serde_json::json!({"of": [12, 8], "start": [3, 2]}));
    assert_eq!(report["value_bytes"], 4 * 6 * 4);
}

#[test]
fn slices_that_are_none_are_refused() {
    let folder = Folder::new();
    for (slice, why) in [
        ("v=0:1", "no tensor is named `v`"),
        ("w=3:3", "empty"),
        ("w=4:3", "empty"),
        ("w=0:13", "which has size 12"),
        ("w=0:99999999999999999999", "ends past"),
        ("w=99999999999999999999:", "empty"),
        ("w=:,8:", "empty"),
        ("w=:,:,:", "3 ranges for the 2 axes"),
        ("s=:", "1 ranges for the 0 axes"),
        ("e=:", "empty"),
        ("w=-1:", "a range is a:b"),
        ("w=0:4:2", "a range is a:b"),
        ("w=3", "a range is a:b"),
        ("w=", "a range is a:b"),
        ("w", "a slice is NAME=ROWS"),
        ("w=0:1 --slice w=0:1", "already a slice"),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("init zeros w=12x8 s=() e=0x3 --slice {slice} -o w.npz")));
        assert!(ended.is_refusal() && ended.stderr.contains(why), "{slice}: {}", ended.stderr);
        assert!(ended.stderr.contains("--slice"), "{slice}: {}", ended.stderr);
        assert_eq!(folder.names(), [""; 0], "{slice}");
    }
}

#[test]
fn a_recipe_names_slices_with_the_values_of_the_option() {
    let folder = Folder::new();
    let recipe = |slice: &str| {
        format!(
            "layout = \"torch\"\n[constants]\nrank = 1\n[rules]\n\"*.g\" = \"norm-of:v\"\n\"*\" = \"he-normal\"\n[tensors]\n\
             w = {{ shape = [6, 4]{slice} }}\n\"a.v\" = {{ shape = [8, 3, 5]{slice} }}\n\"a.g\" = {{ shape = [8, 1, 1]{slice} }}\n"
        )
    };
    folder.write("parts.toml", recipe(", slice = \"{2 * rank}:{2 * rank + 2}\""));
    folder.write("whole.toml", recipe(""));
    for numbers in ["--seed 5", "--seed 5 --like torch"] {
        let write = "--format safetensors -q -o -";
        let parts = folder.done(&format!("model parts.toml {numbers} {write}"));
        let cuts = "--slice w=2:4 --slice a.v=2:4 --slice a.g=2:4";
        assert!(parts == folder.done(&format!("model whole.toml {numbers} {cuts} {write}")), "{numbers}");
    }
    folder.done("model parts.toml --set rank=0 -q -o parts.npz");
    folder.done("verify parts.npz");
}

#[test]
fn a_recipe_s_slice_that_is_none_is_refused_in_its_line() {
    let folder = Folder::new();
    for (slice, why) in [
        ("\"0:13\"", "`0:13` ends past axis 0 of `w=12x8`, which has size 12"),
        ("\"3:3\"", "empty"),
        ("\":,:,:\"", "3 ranges for the 2 axes of `w=12x8`"),
        ("\"3\"", "a range is a:b"),
        ("[0, 3]", "must be text, not a list"),
    ] {
        folder.write("r.toml", format!("[tensors]\nw = {{ shape = [12, 8], scheme = \"zeros\", slice = {slice} }}\n"));
        let ended = Ended::of(&mut folder.fanin("model r.toml -o w.npz"));
        assert!(ended.is_refusal() && ended.stderr.contains(why), "{slice}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("fanin: r.toml:2: [tensors] `w`: `slice`: "), "{slice}: {}", ended.stderr);
    }
    folder.write("r.toml", "[rules]\n\"*\" = { scheme = \"zeros\", slice = \"0:1\" }\n[tensors]\nw = [2]\n");
    assert!(Ended::of(&mut folder.fanin("model r.toml -o w.npz")).stderr.contains("`slice`: unknown key"));
}

#[test]
fn provenance_of_impossible_slices_is_ignored() {
    let folder = Folder::new();
    folder.done("init zeros w=4x8 --slice w=1:3 -q -o w.json");
    let file = String::from_utf8(folder.read("w.json")).unwrap();
    let slice = r#""slice":{"of":[4,8],"start":[1,0]}"#;
    assert!(file.contains(slice));
    for other in [
        r#""slice":{"of":[4],"start":[1]}"#,
        r#""slice":{"of":[4,8],"start":[1]}"#,
        r#""slice":{"of":[4,8],"start":[3,0]}"#,
        r#""slice":{"of":[4,8],"start":[18446744073709551615,0]}"#,
        r#""slice":{"of":[4,8,1],"start":[1,0]}"#,
        r#""slice":{"of":[281474976710656,8],"start":[1,0]}"#,
        r#""slice":{"of":[4,8],"start":[1,0],"step":1}"#,
        r#""slice":{"of":[4,8],"start":[-1,0]}"#,
    ] {
        folder.write("v.json", file.replace(slice, other));
        let ended = Ended::of(&mut folder.fanin("inspect v.json"));
        assert_eq!(ended.status, 0, "{other}: {}", ended.stderr);
        let shown = String::from_utf8(ended.stdout).unwrap();
        assert!(shown.contains("ignored"), "{other}: {shown}");
    }
}

/// A safetensors file of one value, 1e9, that claims to be a slice of a large matrix.
fn claim(folder: &Folder, name: &str, scheme: &str, of: [u64; 2]) {
    let tensor = format!(
        r#"{{"dtype":"f32","layout":"oi","scheme":"{scheme}","shape":[1,1],"slice":{{"of":[{},{}],"start":[0,0]}}}}"#,
        of[0], of[1]
    );
    let recipe = format!(r#"{{"generator":"native-1","schema":1,"seed":"0","tensors":{{"w":{tensor}}}}}"#);
    let recipe = Value::from(recipe);
    let header =
        format!(r#"{{"__metadata__":{{"fanin":{recipe}}},"w":{{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}}}"#);
    let length = (header.len() as u64).to_le_bytes();
    folder.write(name, [&length[..], header.as_bytes(), &1e9f32.to_le_bytes()].concat());
}

#[test]
fn a_small_file_that_claims_a_slice_of_a_large_matrix_has_it_drawn_on_request_alone() {
    let folder = Folder::new();
    for scheme in
        ["orthogonal:gain=1,method=svd", "spectral:radius=0.9,density=0.1,distribution=normal", "wigner:std=1"]
    {
        claim(&folder, "x.safetensors", scheme, [5000, 5000]);
        assert_eq!(Ended::of(&mut folder.fanin("inspect x.safetensors")).status, 0, "{scheme}");
        let ended = Ended::of(&mut folder.fanin("verify x.safetensors"));
        assert!(ended.is_refusal() && ended.stderr.contains("--max-memory"), "{scheme}: {}", ended.stderr);
        claim(&folder, "y.safetensors", scheme, [40, 40]);
        assert_eq!(Ended::of(&mut folder.fanin("verify y.safetensors")).status, 1, "{scheme}");
        claim(&folder, "z.safetensors", scheme, [300, 300]);
        let ended = Ended::of(&mut folder.fanin("verify z.safetensors --max-memory 100KiB"));
        assert!(ended.is_refusal() && ended.stderr.contains("limit of 102,400 bytes"), "{scheme}: {}", ended.stderr);
    }
}
