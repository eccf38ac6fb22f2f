//! Recipes that are built from others: `extends`, shared blocks and components.

use crate::common::{Ended, Folder};

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

#[test]
fn a_shared_block_is_used_with_names_and_a_prefix() {
    let folder = Folder::new();
    folder.write(
        "r.toml",
        r#"
[constants]
width = 4
heads = 3
[rules]
"b.1.out.*" = "ones"
"*" = "zeros"
[shared.mlp]
needs = ["n"]
with = { m = "2 * n" }
repeat = { i = 2 }
prefix = "{i}."
tensors = { in = ["m", "n"] }
[[shared.mlp.blocks]]
use = "out"
prefix = "out."
[shared.out]
tensors = { w = ["n", "width"] }
[[blocks]]
use = "mlp"
prefix = "a."
with = { n = "width" }
[[blocks]]
use = "mlp"
repeat = { p = ["b", "c"] }
when = "p == 'b'"
prefix = "{p}."
with = { n = "width + 1", m = "heads" }
"#,
    );
    let expected = [
        "a.0.in=8x4: zeros",
        "a.0.out.w=4x4: zeros",
        "a.1.in=8x4: zeros",
        "a.1.out.w=4x4: zeros",
        "b.0.in=3x5: zeros",
        "b.0.out.w=5x4: zeros",
        "b.1.in=3x5: zeros",
        "b.1.out.w=5x4: ones",
    ];
    assert_eq!(tensors(&folder, "r.toml"), expected);
}

#[test]
fn the_shared_blocks_of_families_are_there_for_recipes() {
    let folder = Folder::new();
    folder.write(
        "r.toml",
        "rules = { \"*\" = \"normal:std=1\" }\n[constants]\nhidden_size = 4\nvocab_size = 9\nnum_labels = 2\n\
         tie_word_embeddings = false\nhead = \"'ForTokenClassification'\"\n[tensors]\n\"embed_tokens.weight\" = \
         [\"vocab_size\", \"hidden_size\"]\n[[blocks]]\nuse = \"decoder_heads\"\nwith = { body = \"''\" }\n",
    );
    assert_eq!(tensors(&folder, "r.toml")[1..], ["score.weight=2x4: normal:std=1", "score.bias=2: normal:std=1"]);
    assert_eq!(tensors(&folder, "r.toml --set head=ForCausalLM")[1..], ["lm_head.weight=9x4: normal:std=1"]);
    assert_eq!(tensors(&folder, "r.toml --set head=ForCausalLM --set tie_word_embeddings=true").len(), 1);
}

/// A recipe of two components with a projector between them.
const TWO: &str = r#"
layout = "torch"
[components]
text_config = "qwen2"
vision_config = "clip_vision_model"
[constants]
wide = "vision_config.hidden_size * 2"
[constants.text_config]
hidden_size = 16
num_attention_heads = 4
num_key_value_heads = 2
intermediate_size = 24
vocab_size = "wide"
num_hidden_layers = 1
tie_word_embeddings = true
[constants.vision_config]
hidden_size = 8
num_attention_heads = 2
intermediate_size = 12
num_hidden_layers = 1
[rules]
"*" = "normal:std=0.5"
[tensors]
"projector.weight" = ["text_config.head_dim", "wide"]
[[blocks]]
component = "text_config"
prefix = "text."
head = "{'ForCausalLM' if wide > 8 else 'Model'}"
[blocks.rules]
"*.q_proj.weight" = "normal:std={wide}"
[[blocks]]
component = "vision_config"
prefix = "vision."
"#;

#[test]
fn a_component_has_its_own_constants_and_rules() {
    let folder = Folder::new();
    folder.write("r.toml", TWO);
    let all = tensors(&folder, "r.toml");
    assert_eq!(all[0], "projector.weight=4x16: normal:std=0.5");
    for one in [
        "text.model.embed_tokens.weight=16x16: embedding:std=0.02",
        "text.model.layers.0.self_attn.q_proj.weight=16x16: normal:std=16",
        "text.model.layers.0.self_attn.k_proj.weight=8x16: normal:std=0.02",
        "text.model.norm.weight=16: ones",
        "vision.post_layernorm.bias=8: zeros",
    ] {
        assert!(all.iter().any(|line| line == one), "{one}: {all:#?}");
    }
    let printed = String::from_utf8(folder.done("model r.toml --dry-run")).unwrap();
    assert!(printed.contains("text.lm_head.weight is tied to text.model.embed_tokens.weight"), "{printed}");
    let bare = tensors(&folder, "r.toml --set vision_config.hidden_size=4");
    assert_eq!(bare[1], "text.embed_tokens.weight=8x16: embedding:std=0.02");
}

#[test]
fn a_constant_that_a_component_lacks_is_refused() {
    let folder = Folder::new();
    for (key, message) in [
        ("hiden_size = 4", "[constants.c] `hiden_size`: gpt2 has no such constant"),
        ("hidden_size = 4", "[constants.c] `hidden_size`: gpt2 has no such constant: use `n_embd`"),
    ] {
        let recipe = format!("[components]\nc = \"gpt2\"\n[constants.c]\n{key}\n[[blocks]]\ncomponent = \"c\"\n");
        folder.write("r.toml", &recipe);
        let refused = Ended::of(&mut folder.fanin("model r.toml --dry-run"));
        assert!(refused.is_refusal() && refused.stderr.contains(message), "{key}: {}", refused.stderr);
    }
}

#[test]
fn an_extended_family_has_only_its_own_heads() {
    let folder = Folder::new();
    folder.write("r.toml", "extends = \"llama\"\n[constants]\nhead = \"'ForFoo'\"\n");
    let refused = Ended::of(&mut folder.fanin("model r.toml --dry-run"));
    let message = "`ForFoo` is not a head of llama: use ForCausalLM";
    assert!(refused.is_refusal() && refused.stderr.contains(message), "{}", refused.stderr);
}

#[test]
fn the_model_type_of_a_table_chooses_the_family_of_a_component() {
    let folder = Folder::new();
    folder.write("r.toml", TWO);
    let of = |family: &str| tensors(&folder, &format!("r.toml --set text_config.model_type={family}"));
    let has = |lines: &[String], word: &str| lines.iter().any(|line| line.contains(word));
    assert!(
        has(&of("qwen2"), "text.model.layers.0.self_attn.q_proj.bias")
            && !has(&of("llama"), "text.model.layers.0.self_attn.q_proj.bias")
    );
    assert!(has(&of("qwen3"), "text.model.layers.0.self_attn.q_norm.weight=128"));
}

#[test]
fn an_extended_recipe_changes_the_tensors_of_components() {
    let folder = Folder::new();
    folder.write("two.toml", TWO);
    let changes = "extends = \"./two.toml\"\n[components]\ntext_config = \"llama\"\n[remove]\n\"vision.*\" = true\n\
        [rename]\n\"text.model.*\" = \"body.*\"\n[tensors]\n\"body.norm.weight\" = [3]\n";
    folder.write("r.toml", changes);
    let all = tensors(&folder, "r.toml");
    assert_eq!(all.len(), 12, "{all:#?}");
    assert_eq!(all[11], "body.norm.weight=3: normal:std=0.5");
    let printed = String::from_utf8(folder.done("model r.toml --dry-run")).unwrap();
    assert!(printed.contains("text.lm_head.weight is tied to body.embed_tokens.weight"), "{printed}");
}
