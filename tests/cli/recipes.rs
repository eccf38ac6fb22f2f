//! Recipes that are built from others: `extends`, shared blocks and components.

use crate::common::Folder;

/// Each line of a dry run that shows a tensor: name, shape and scheme.
#[track_caller]
fn tensors(folder: &Folder, arguments: &str) -> Vec<String> {
    let printed = String::from_utf8(folder.done(&format!("model {arguments} --dry-run --verbose"))).unwrap();
    let lines = printed.lines().filter_map(|line| {
        let (named, scheme) = line.split_once(" f32: ")?;
        Some(format!("{named}: {}", scheme.split(';').next()?.split(',').next()?))
    });
    lines.collect()
}

#[test]
fn an_extended_recipe_is_changed_by_name() {
    let folder = Folder::new();
    folder.write("base.toml", "[constants]\nwidth = 4\ndouble = \"2 * width\"\n[require]\n\"width < 5\" = \"too wide\"\n\
        [rules]\n\"*.w\" = \"normal:std=1\"\n\"*\" = \"zeros\"\n[tensors]\n\"a.w\" = [\"width\"]\n\"b.w\" = [\"double\"]\n\
        \"b.x\" = [1]\n\"c.own\" = { shape = [3], scheme = \"ones\" }\n\"d.tied\" = { tied = \"b.w\" }\n");
    folder.write(
        "r.toml",
        "extends = \"./base.toml\"\nsorted = true\n[constants]\nwidth = 8\n[require]\n\"width < 5\" = false\n\
        [remove]\n\"a.*\" = true\n\"c.*\" = \"width > 8\"\n[rename]\n\"*.w\" = \"new.*.weight\"\n[rules]\n\
        \"new.*\" = \"normal:std=2\"\n[tensors]\n\"b.x\" = [5]\n\"a.added.w\" = [6]\n",
    );
    assert_eq!(
        tensors(&folder, "r.toml"),
        ["a.added.w=6: normal:std=1", "b.x=5: zeros", "c.own=3: ones", "new.b.weight=16: normal:std=2"]
    );
    let printed = String::from_utf8(folder.done("model r.toml --dry-run")).unwrap();
    assert!(printed.contains("d.tied is tied to new.b.weight"), "{printed}");
    assert_eq!(tensors(&folder, "r.toml --set width=9").len(), 3, "the removal depends on a constant");
}

#[test]
fn a_family_is_extended_by_its_name() {
    let folder = Folder::new();
    folder.write("r.toml", "extends = \"llama\"\n[constants]\nhidden_size = 8\nnum_attention_heads = 2\nnum_key_value_heads = 1\n\
        intermediate_size = 6\nvocab_size = 9\nnum_hidden_layers = 1\n[alias]\nwidth = \"hidden_size\"\n[remove]\n\"*mlp*\" = true\n");
    let all = tensors(&folder, "r.toml");
    assert_eq!(all[0], "model.embed_tokens.weight=9x8: embedding:std=0.02");
    assert_eq!(all.len(), 9, "{all:?}");
    let wide = tensors(&folder, "r.toml --set width=16 --set head=Model");
    assert_eq!((wide[0].as_str(), wide.len()), ("embed_tokens.weight=9x16: embedding:std=0.02", 8));
}
