//! Names that people know and that are no schemes: what they name cannot be made from a shape alone, or is no
//! initializer. Each is refused by name, with what to do instead.

use super::expression::fold;
use super::frameworks::{framework_of, included};

/// Names that are no schemes, and why.
pub struct Unsupported {
    /// The frameworks whose words they are; none where they are the literature's.
    pub frameworks: &'static [&'static str],
    /// The names.
    pub names: &'static [&'static str],
    /// Why it is no scheme: a sentence about the name, without the name.
    pub why: &'static str,
    /// What to do instead, where there is something; expressions stand in backquotes.
    pub instead: &'static str,
}

const fn known_as(names: &'static [&'static str], why: &'static str, instead: &'static str) -> Unsupported {
    Unsupported { frameworks: &[], names, why, instead }
}

const fn of(
    frameworks: &'static [&'static str],
    names: &'static [&'static str],
    why: &'static str,
    instead: &'static str,
) -> Unsupported {
    Unsupported { frameworks, names, why, instead }
}

const BASE_CLASS: &str = "is the class that the initializers derive from: it draws nothing itself";
const LOOKS_UP: &str = "turns names or configurations into initializers, and initializers into configurations";
const BY_NAME: &str = "name the scheme here, as in `keras.HeNormal`";
const MACHINERY: &str = "is a part of the framework's own machinery: it draws nothing";
const MAKES_THREE: &str = "makes three tensors from the adapted weight: A, B and the residual";
const LORA: &str = "LoRA's own start is `lora-a` for A and `lora-b` for B";
const BY_PARAMETER: &str = "is a recipe for a whole model: the scheme of each tensor depends on its name";
const WHOLE_MODELS: &str = "`fanin model` writes those of `fanin list models`; of others, draw the tensors of each distribution with a separate command";
const TENSOR_BY_TENSOR: &str = "draw the tensors of each distribution with a separate command";

/// Every such name.
pub const UNSUPPORTED: &[Unsupported] = &[
    // Made from data.
    known_as(
        &["lsuv", "lsuv-init"],
        "rescales the layers one after the other until their outputs on a batch of data have variance 1",
        "`orthogonal` is what it starts from (Mishkin and Matas 2016)",
    ),
    known_as(
        &["weight-norm", "weight-norm-init", "weight-norm-data-dependent"],
        "sets scales and biases by the outputs for a first batch of data",
        "`normal:std=0.05` is what it draws the directions from (Salimans and Kingma 2016)",
    ),
    known_as(
        &["actnorm", "act-norm"],
        "sets the scale and bias of each channel by a first batch of data",
        "`ones` for the scale and `zeros` for the bias leave the channels as they are (Kingma and Dhariwal 2018)",
    ),
    known_as(
        &["data-dependent", "krahenbuhl", "magic-init"],
        "rescales the weights by the outputs for a batch of data, or clusters that data",
        "`he-normal` rescales by the fans instead (Krähenbühl et al. 2016)",
    ),
    known_as(
        &["pca", "pca-init", "k-means", "kmeans-init"],
        "is made from the principal components or the clusters of data",
        "`orthogonal` gives orthonormal filters without the data",
    ),
    known_as(
        &["gradinit", "grad-init"],
        "learns the scale of each weight by gradient steps on data",
        "`he-normal` is what it starts from (Zhu et al. 2021)",
    ),
    known_as(
        &["metainit", "meta-init"],
        "learns the norm of each weight from gradients of the whole model",
        "`he-normal` or another scheme is what it starts from (Dauphin and Schoenholz 2019)",
    ),
    known_as(
        &["weight-selection"],
        "copies a part of the weights of a larger trained model",
        "`truncated-normal:std=0.02` is what its paper compares it with (Xu et al. 2024)",
    ),
    // Made from a weight that is there, and from data.
    of(&["peft"], &["lora_ga"], "is made from the gradients of a first batch of data", LORA),
    of(&["peft"], &["eva"], "is made from the activations on data", LORA),
    of(&["peft"], &["corda"], "is made from the adapted weight and the activations on data", LORA),
    of(&["peft"], &["loftq"], "is made from the error of quantising the adapted weight", LORA),
    of(&["peft"], &["pissa"], MAKES_THREE, "`pissa-a`, `pissa-b` and `pissa-base` with --base FILE draw each of them"),
    of(&["peft"], &["olora"], MAKES_THREE, "`olora-a`, `olora-b` and `olora-base` with --base FILE draw each of them"),
    of(
        &["reservoircomputing"],
        &["informed_init"],
        "connects some units to the outputs of a physical model, whose number is not in the shape",
        "`uniform` is the distribution of its weights",
    ),
    // Scalars and layers of a distribution that has a name here.
    known_as(
        &["rezero", "skipinit", "zero-last", "fixup-last"],
        "starts the last layer or the scale of each residual branch at 0",
        "`zeros` is that start",
    ),
    known_as(&["layer-scale"], "starts the scale of each residual branch at a small number", "`constant:1e-6` is one"),
    // Recipes for models.
    known_as(
        &["mup", "mutransfer", "maximal-update"],
        "rescales by the widths of a base model, which are not in the shape of one tensor",
        "`normal` with the std of the base times sqrt(base fan_in / fan_in) is its rule for hidden weights (Yang et al. 2021)",
    ),
    known_as(&["gpt2", "bert", "llama", "t5", "clip", "vit", "whisper", "wav2vec2"], BY_PARAMETER, WHOLE_MODELS),
    of(
        &["mxnet"],
        &["Mixed"],
        "is a list of schemes by parameter name, not a distribution",
        "draw the tensors of each scheme with a separate command",
    ),
    of(&["mxnet"], &["Load"], "copies weights from a file", "the file itself holds them: `fanin inspect` shows it"),
    // What the frameworks' modules hold beside initializers.
    of(
        &["torch", "paddle"],
        &["calculate_gain"],
        "gives the gain of an activation, not weights",
        "give the activation as the gain, as in `orthogonal:gain=tanh`; `fanin list gains` shows them",
    ),
    of(
        &["keras", "jax", "chainer", "mxnet", "mindspore", "paddle", "sonnet", "lasagne"],
        &["Initializer"],
        BASE_CLASS,
        "",
    ),
    of(&["keras"], &["get", "serialize", "deserialize"], LOOKS_UP, BY_NAME),
    of(&["mindspore"], &["initializer"], LOOKS_UP, BY_NAME),
    of(&["mxnet"], &["InitDesc", "register"], MACHINERY, BY_NAME),
    of(&["chainer"], &["generate_array"], MACHINERY, BY_NAME),
    of(&["pyg"], &["reset"], "calls each layer's own initialisation", TENSOR_BY_TENSOR),
    of(&["timm"], &["is_meta_device"], MACHINERY, BY_NAME),
    of(
        &["timm"],
        &["init_weight_vit"],
        BY_PARAMETER,
        "`truncated-normal:std=0.02` for the weights, `constant:0.02` for their biases and `zeros` for the head",
    ),
    of(
        &["timm"],
        &["init_weight_jax"],
        BY_PARAMETER,
        "`glorot-uniform` for the weights, `normal:std=1e-6` for the biases of MLPs, `zeros` for others and the head",
    ),
    of(
        &["mxnet"],
        &["FusedRNN"],
        "packs the weights of all layers of a recurrent network into one vector, each with its own scheme",
        TENSOR_BY_TENSOR,
    ),
    of(&["paddle"], &["set_global_initializer"], "sets the default of all layers", "name the scheme in each command"),
    of(&["paddle"], &["Assign"], "copies existing values", "`constant` fills with one value"),
];

impl Unsupported {
    /// Why the name is refused, and what to do instead.
    pub fn refusal(&self) -> String {
        let instead = if self.instead.is_empty() { String::new() } else { format!("; {}", self.instead) };
        format!("no scheme here: it {}{instead}", self.why)
    }

    fn names(&self, name: &str) -> bool {
        self.names.iter().any(|known| fold(known) == fold(name))
    }
}

/// The row of a framework's name, of one that it takes from another, or of the literature's under a framework.
pub(super) fn of_framework(framework: &str, name: &str) -> Option<&'static Unsupported> {
    let of = |word: &str| UNSUPPORTED.iter().find(|row| row.frameworks.contains(&word) && row.names(name));
    let literature = || UNSUPPORTED.iter().find(|row| row.frameworks.is_empty() && row.names(name));
    of(framework).or_else(|| of(included(framework)?)).or_else(literature)
}

/// The row of a name as it is typed, with a framework before it or without.
pub fn look_up(typed: &str) -> Option<&'static Unsupported> {
    match typed.split_once('.') {
        Some((framework, path)) => {
            let name = path.rsplit('.').next().unwrap_or(path);
            of_framework(framework_of(framework).ok()?, name)
        }
        None => find(typed),
    }
}

/// The row of a name that stands without a framework.
pub(super) fn find(name: &str) -> Option<&'static Unsupported> {
    UNSUPPORTED.iter().find(|row| row.names(name))
}

#[cfg(test)]
mod tests {
    use super::super::{find as find_scheme, look_up};
    use super::*;

    #[test]
    fn no_name_is_also_a_scheme() {
        for row in UNSUPPORTED {
            for name in row.names {
                assert!(find_scheme(name).is_err(), "`{name}` is a scheme, or another name of one");
                for framework in row.frameworks {
                    assert!(look_up(&format!("{framework}.{name}")).is_err(), "{framework}.{name} has a meaning");
                }
            }
        }
    }

    #[test]
    fn a_refusal_says_why_and_what_to_do_instead() {
        let message = |text| format!("{:#}", look_up(text).err().unwrap());
        assert!(message("lsuv").contains("batch of data have variance 1; `orthogonal` is what it starts from"));
        assert!(message("LSUV-init").starts_with("scheme `LSUV-init`: no scheme here: it rescales"));
        assert!(message("torch.lsuv").contains("`orthogonal`"));
        assert!(message("mxnet.Mixed").contains("by parameter name"));
        assert!(message("Mixed").contains("by parameter name"));
        assert!(message("keras.get").contains("`keras.HeNormal`"));
        assert!(message("tf.initializers.get").contains("`keras.HeNormal`"));
    }

    #[test]
    fn what_stands_in_backquotes_is_legal() {
        for row in UNSUPPORTED {
            for expression in row.instead.split('`').skip(1).step_by(2) {
                let command = expression.starts_with("fanin ");
                assert!(command || super::super::resolve(expression).is_ok(), "{}: `{expression}`", row.names[0]);
            }
        }
    }
}
