//! The frameworks' own words for parameters and their values, so that a call can be typed as it stands there:
//! `torch.kaiming_normal_:a=0.2,mode=fan_out`, `keras.RandomNormal:stddev=0.02`.

use super::expression::fold;

/// Whose words an expression is in: a framework's, for one of its names. Both are empty where it is nobody's.
#[derive(Clone, Copy, Default)]
pub(super) struct Dialect<'a> {
    pub(super) framework: &'a str,
    pub(super) name: &'a str,
}

impl Dialect<'_> {
    /// Whether words of `whose` are among its own: everybody's (""), a framework's, or those of one name of it.
    fn has(self, whose: &str) -> bool {
        match whose.split_once('.') {
            Some((framework, name)) => framework == self.framework && fold(name) == fold(self.name),
            None => whose.is_empty() || whose == self.framework,
        }
    }
}

/// The slope that a framework takes for an activation: `PyTorch`, Paddle and `MindSpore` read one for the leaky rectifier alone, and there 0 where
/// none is given.
pub(super) fn slope(dialect: Dialect, gain: Option<&str>, given: Option<String>) -> Option<String> {
    match ["torch", "paddle", "mindspore"].contains(&dialect.framework) {
        true => (gain == Some("leaky-relu")).then(|| given.unwrap_or_else(|| "0".into())),
        false => given,
    }
}

/// A parameter's word in a framework.
pub(super) struct ParameterAlias {
    whose: &'static str,
    theirs: &'static str,
    /// The parameter here.
    pub(super) ours: &'static str,
    /// A parameter that it says something about as well, unless that is given.
    pub(super) implies: Option<(&'static str, &'static str)>,
}

const fn word(whose: &'static str, theirs: &'static str, ours: &'static str) -> ParameterAlias {
    ParameterAlias { whose, theirs, ours, implies: None }
}

/// The slope of a nonlinearity that is a leaky rectifier where nothing else is said.
const fn leaky(whose: &'static str, theirs: &'static str) -> ParameterAlias {
    ParameterAlias { implies: Some(("gain", "leaky-relu")), ..word(whose, theirs, "slope") }
}

/// Words for parameters. The first row that fits counts: one whose parameter here the scheme takes.
const WORDS: &[ParameterAlias] = &[
    word("", "stddev", "std"),
    word("", "stdev", "std"),
    word("", "sigma", "std"),
    word("", "minval", "low"),
    word("", "maxval", "high"),
    word("", "nonlinearity", "gain"),
    word("", "non_linearity", "gain"),
    word("torch", "a", "low"),
    word("torch", "b", "high"),
    leaky("torch", "a"),
    word("torch", "val", "value"),
    word("torch", "sparsity", "zeros"),
    word("torch", "padding_idx", "padding"),
    word("timm.trunc_normal_tf_", "a", "low-sigma"),
    word("timm.trunc_normal_tf_", "b", "high-sigma"),
    word("timm", "a", "low"),
    word("timm", "b", "high"),
    word("paddle", "a", "low"),
    word("paddle", "b", "high"),
    leaky("paddle", "negative_slope"),
    word("jax.truncated_normal", "lower", "low-sigma"),
    word("jax.truncated_normal", "upper", "high-sigma"),
    word("jax.uniform", "scale", "high"),
    word("jax", "scale", "gain"),
    word("haiku.TruncatedNormal", "lower", "low-sigma"),
    word("haiku.TruncatedNormal", "upper", "high-sigma"),
    word("haiku", "constant", "value"),
    word("haiku", "scale", "gain"),
    word("lasagne", "sparsity", "density"),
    word("lasagne", "val", "value"),
    word("mxnet.Uniform", "scale", "range"),
    word("mxnet.Orthogonal", "scale", "gain"),
    word("mxnet", "factor_type", "mode"),
    word("chainer.Uniform", "scale", "range"),
    word("chainer.Normal", "scale", "std"),
    // Of He the gain is sqrt(2) times their scale, which is another number.
    word("chainer.GlorotNormal", "scale", "gain"),
    word("chainer.GlorotUniform", "scale", "gain"),
    word("chainer.Orthogonal", "scale", "gain"),
    word("chainer", "fill_value", "value"),
    word("chainer", "fan_option", "mode"),
    word("flux", "lo", "low"),
    word("flux", "hi", "high"),
    word("flux", "sparsity", "zeros"),
    word("lux", "lo", "low"),
    word("lux", "hi", "high"),
    word("lux", "sparsity", "zeros"),
    word("mlx", "sparsity", "zeros"),
    word("mindspore", "a", "low"),
    word("mindspore", "b", "high"),
    leaky("mindspore", "negative_slope"),
    word("mindspore", "sparsity", "zeros"),
    word("caffe", "min", "low"),
    word("caffe", "max", "high"),
    word("caffe", "variance_norm", "mode"),
    word("burn", "min", "low"),
    word("burn", "max", "high"),
    word("burn", "fan_out_only", "mode"),
    word("candle", "lo", "low"),
    word("candle", "up", "high"),
    word("candle", "fan", "mode"),
    word("tch", "lo", "low"),
    word("tch", "up", "high"),
    word("tch", "fan", "mode"),
];

/// Every word for a parameter: whose it is (a framework, or one name of it; empty where it is everybody's), the word, and the
/// parameter here.
pub fn parameter_words() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    WORDS.iter().map(|word| (word.whose, word.theirs, word.ours))
}

/// Words for values: whose, of which parameter here, theirs, ours.
const VALUES: &[(&str, &str, &str, &str)] = &[
    ("keras", "distribution", "normal", "truncated-normal"),
    ("keras", "distribution", "untruncated_normal", "normal"),
    ("tensorflow", "distribution", "normal", "truncated-normal"),
    ("tensorflow", "distribution", "untruncated_normal", "normal"),
    ("sonnet", "distribution", "untruncated_normal", "normal"),
    ("mxnet", "mode", "in", "fan-in"),
    ("mxnet", "mode", "out", "fan-out"),
    ("mxnet", "mode", "avg", "fan-avg"),
    ("caffe", "mode", "average", "fan-avg"),
    ("burn", "mode", "true", "fan-out"),
    ("burn", "mode", "false", "fan-in"),
];

/// The row of a framework's word for a parameter that the scheme `takes`.
pub(super) fn parameter(
    dialect: Dialect,
    theirs: &str,
    takes: impl Fn(&str) -> bool,
) -> Option<&'static ParameterAlias> {
    WORDS.iter().find(|word| dialect.has(word.whose) && fold(word.theirs) == fold(theirs) && takes(word.ours))
}

/// A value in our words.
pub(super) fn value<'a>(dialect: Dialect, parameter: &str, theirs: &'a str) -> &'a str {
    let row =
        VALUES.iter().find(|(whose, of, word, _)| dialect.has(whose) && *of == parameter && fold(word) == fold(theirs));
    row.map_or(theirs, |row| row.3)
}

#[cfg(test)]
mod tests {
    use super::super::{Site, resolve};
    use crate::tensor::{Fans, Layout, Shape};

    fn canonical(text: &str) -> anyhow::Result<String> {
        let (shape, layout): (Shape, _) = ("80x60".parse()?, Layout::default());
        Ok(resolve(text)?.distribution(&Site::new(&shape, &layout, Fans::default()), None)?.1)
    }

    #[test]
    fn a_call_may_be_typed_in_the_framework_s_own_words() {
        for (theirs, ours) in [
            ("torch.uniform_:a=-1,b=2", "uniform:low=-1,high=2"),
            ("torch.trunc_normal_:std=0.02,a=-0.04,b=0.04", "truncated-normal:std=0.02,low=-0.04,high=0.04"),
            ("torch.constant_:val=3", "constant:3"),
            ("torch.kaiming_normal_:a=0.2", "he-normal:gain=leaky-relu,slope=0.2"),
            (
                "torch.kaiming_normal_:a=0.2,mode=fan_out,nonlinearity=leaky_relu",
                "he-normal:gain=leaky-relu,slope=0.2,mode=fan-out",
            ),
            ("torch.nn.init.kaiming_uniform_:nonlinearity=tanh", "he-uniform:gain=tanh"),
            ("torch.kaiming_normal_:nonlinearity=leaky_relu", "he-normal:gain=leaky-relu,slope=0"),
            ("torch.kaiming_normal_:a=2,nonlinearity=relu", "he-normal"),
            ("paddle.KaimingNormal:nonlinearity=leaky_relu", "he-normal:gain=leaky-relu,slope=0"),
            ("torch.sparse_:sparsity=0.75", "torch.sparse_:zeros=0.75"),
            ("torch.Embedding:padding_idx=-1", "embedding:padding=79"),
            ("timm.trunc_normal_:a=-1,b=1", "truncated-normal:std=1,low=-1,high=1"),
            ("timm.trunc_normal_tf_:a=-1,b=1", "truncated-normal:std=1,low-sigma=-1,high-sigma=1"),
            ("keras.RandomNormal:mean=1,stddev=0.5", "normal:std=0.5,mean=1"),
            ("keras.RandomUniform:minval=0,maxval=3", "uniform:low=0,high=3"),
            (
                "keras.VarianceScaling:scale=2,mode=fan_avg,distribution=truncated_normal",
                "variance-scaling:scale=2,mode=fan-avg",
            ),
            ("keras.VarianceScaling:distribution=normal", "variance-scaling"),
            ("keras.VarianceScaling:distribution=untruncated_normal", "variance-scaling:distribution=normal"),
            ("jax.variance_scaling:distribution=normal", "variance-scaling:distribution=normal"),
            ("jax.uniform:scale=0.1", "uniform:low=0,high=0.1"),
            ("jax.truncated_normal:stddev=0.1,lower=-1,upper=1", "truncated-normal:std=0.1,low-sigma=-1,high-sigma=1"),
            ("jax.orthogonal:scale=2", "orthogonal:2"),
            ("lasagne.Sparse:sparsity=0.2", "sparse:density=0.2"),
            ("mxnet.Uniform:scale=0.1", "uniform:range=0.1"),
            ("mxnet.Normal:sigma=0.1", "normal:std=0.1"),
            ("chainer.Uniform:scale=0.1", "uniform:range=0.1"),
            ("chainer.HeNormal:fan_option=fan_out", "he-normal:mode=fan-out"),
            ("flux.truncated_normal:lo=-1,hi=1", "truncated-normal:std=1,low=-1,high=1"),
            ("caffe.uniform:min=-1,max=1", "uniform:low=-1,high=1"),
            ("caffe.msra:variance_norm=AVERAGE", "he-normal:mode=fan-avg"),
            ("burn.KaimingNormal:gain=2,fan_out_only=true", "he-normal:gain=2,mode=fan-out"),
            ("normal:stddev=0.5", "normal:std=0.5"),
        ] {
            assert_eq!(canonical(theirs).unwrap(), canonical(ours).unwrap(), "{theirs}");
        }
    }

    #[test]
    fn a_framework_s_words_are_its_own() {
        for text in [
            "uniform:a=0,b=1",
            "keras.RandomUniform:a=0,b=1",
            "sparse:sparsity=0.5",
            "chainer.HeNormal:scale=2",
            "torch.xavier_normal_:mode=fan_out",
            "normal:std=1,stddev=1",
        ] {
            assert!(canonical(text).is_err(), "{text} was taken");
        }
    }
}
