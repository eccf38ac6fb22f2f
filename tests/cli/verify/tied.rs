//! Tensors that a recipe ties to others, in files that hold them all the same.

use serde_json::Value;

use super::verify;
use crate::common::Folder;

#[test]
fn a_tied_tensor_that_a_file_holds_is_compared_with_the_one_that_it_equals() {
    let folder = Folder::new();
    let recipe = |tied: &str| {
        format!(
            "seed = 3\n[tensors]\n\"wte.weight\" = {{ shape = [9, 4], scheme = \"normal\" }}\n\"norm.weight\" = {{ shape = [4], scheme = \"ones\" }}\n{tied}"
        )
    };
    folder.write(
        "tied.toml",
        recipe("\"head.weight\" = { tied = \"wte.weight\" }\n\"own\" = { tied = \"head.weight\" }\n"),
    );
    // The same tensors, which are written.
    folder.write("plain.toml", recipe(""));
    folder.done("model plain.toml -q -o w.safetensors");
    verify(&folder, "w.safetensors --recipe tied.toml", 0);

    let safetensors = folder.read("w.safetensors");
    let length = usize::try_from(u64::from_le_bytes(safetensors[..8].try_into().unwrap())).unwrap();
    let header: Value = serde_json::from_slice(&safetensors[8..8 + length]).unwrap();
    let values = |name: &str| {
        let at =
            |end: usize| 8 + length + usize::try_from(header[name]["data_offsets"][end].as_u64().unwrap()).unwrap();
        safetensors[at(0)..at(1)].to_vec()
    };
    let (embedding, norm) = (values("wte.weight"), values("norm.weight"));
    let write = |name: &str, tensors: &[(&str, &str, &[u8])]| {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        for (name, shape, values) in tensors {
            let shape: Value = serde_json::from_str(shape).unwrap();
            let offsets = [data.len(), data.len() + values.len()];
            header.insert((*name).into(), serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": offsets}));
            data.extend_from_slice(values);
        }
        let header = Value::Object(header).to_string().into_bytes();
        folder.write(name, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat());
    };
    let both = [("wte.weight", "[9, 4]", embedding.as_slice()), ("norm.weight", "[4]", &norm)];
    let with = |tensors: &[(&'static str, &'static str, &[u8])]| write("all.safetensors", &[&both, tensors].concat());

    with(&[("head.weight", "[9, 4]", &embedding), ("own", "[9, 4]", &embedding)]);
    let said = verify(&folder, "all.safetensors --recipe tied.toml", 0);
    for name in ["head.weight", "own"] {
        assert!(said.contains(&format!("note: `{name}` is tied to `wte.weight`, and equal to it")), "{said}");
    }
    let report: Value = serde_json::from_str(&verify(&folder, "all.safetensors --recipe tied.toml --json", 0)).unwrap();
    let tied = report["tensors"].as_array().unwrap().iter().find(|tensor| tensor["name"] == "own").unwrap();
    assert_eq!((&tied["tied"], &tied["equal"]), (&Value::from("wte.weight"), &Value::from(true)));
    verify(&folder, "all.safetensors --recipe tied.toml --tensor own", 0);
    verify(&folder, "all.safetensors --recipe tied.toml --distribution", 0);
    assert!(verify(&folder, "all.safetensors --recipe plain.toml", 1).contains("unexpected in the file"));

    let mut changed = embedding.clone();
    changed[21] ^= 1;
    with(&[("head.weight", "[9, 4]", &changed)]);
    let said = verify(&folder, "all.safetensors --recipe tied.toml", 1);
    assert!(said.contains("`head.weight`[1, 1]: found") && said.contains("(tied to `wte.weight`)"), "{said}");
    with(&[("own", "[4, 9]", &embedding)]);
    assert!(verify(&folder, "all.safetensors --recipe tied.toml", 1).contains("`own`: shape 4x9, not 9x4"));
}
