//! The frameworks' own words for parameters and values, as in their calls: `torch.kaiming_normal_:a=0.2,mode=fan_out`,
//! `keras.RandomNormal:stddev=0.02`.

use super::Scheme;
use super::expression::fold;
use super::frameworks::{COMMON, FRAMEWORKS, Framework, ParameterAlias};
use super::parameter::{AnyParameter, Kind};

/// A parameter of a scheme in the words of a framework.
pub struct TheirParameter {
    /// The framework's word, or ours if it has none.
    pub word: String,
    /// The value if none is given.
    pub default: Option<String>,
    /// The parameter.
    pub ours: &'static dyn AnyParameter,
}

/// The vocabulary of one name of a framework.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    framework: &'static Framework,
    name: &'static str,
}

impl Dialect {
    /// Words without a framework.
    pub(super) const COMMON: Self = Self { framework: &COMMON, name: "" };

    /// Words after a name of a scheme that is typed without a framework: those of the frameworks that spell it so, if they mean the same
    /// by it.
    pub(super) fn of_bare(name: &str, scheme: &Scheme) -> Self {
        let with = |framework: &'static Framework| framework.aliases.iter().map(move |alias| (framework, alias));
        let mut spelled =
            FRAMEWORKS.iter().flat_map(with).filter(|(_, alias)| alias.name == name && name != scheme.name);
        match spelled.next() {
            Some((framework, alias)) if spelled.all(|(_, other)| other.means == alias.means) => {
                Self::new(framework, alias.name)
            }
            _ => Self::COMMON,
        }
    }

    pub(super) fn new(framework: &'static Framework, name: &'static str) -> Self {
        Self { framework, name }
    }

    /// True if values without keys have the order of the schemes' rows.
    pub(super) fn is_positional(self) -> bool {
        self.name.is_empty() || self.framework.positional.iter().any(|name| fold(name) == fold(self.name))
    }

    /// The framework, and the one whose names it offers as its own.
    fn frameworks(self) -> impl Iterator<Item = &'static Framework> {
        std::iter::once(self.framework).chain(self.framework.included())
    }

    /// Its own words for parameters.
    fn words(self) -> impl Iterator<Item = &'static ParameterAlias> {
        let words = self.frameworks().flat_map(|framework| framework.parameters);
        words.filter(move |word| word.name.is_empty() || fold(word.name) == fold(self.name))
    }

    /// Our parameter for a word, among those that the scheme `takes`.
    pub(super) fn parameter(self, theirs: &str, takes: impl Fn(&str) -> bool) -> Option<&'static str> {
        let mut words = self.words().chain(COMMON.parameters);
        words.find(|word| fold(word.theirs) == fold(theirs) && takes(word.ours)).map(|word| word.ours)
    }

    /// A value in our words.
    pub(super) fn value<'a>(self, parameter: &str, theirs: &'a str) -> &'a str {
        let mut words = self.frameworks().flat_map(|framework| framework.values);
        words.find(|(of, word, _)| *of == parameter && fold(word) == fold(theirs)).map_or(theirs, |word| word.2)
    }

    /// Our parameter and its value in the framework's words.
    pub(super) fn theirs(self, ours: &'static dyn AnyParameter, value: Option<&str>) -> TheirParameter {
        let word = self.words().find(|word| word.ours == ours.name()).map_or(ours.name(), |word| word.theirs);
        let mut values = self.frameworks().flat_map(|framework| framework.values);
        let default = value.map(|value| {
            // Keras's `normal` is our `truncated-normal`, which it takes as well.
            let is_ours = |word: &&str| matches!(ours.kind(), Kind::Choice(words) if words.contains(word));
            let theirs = values.find(|(of, word, known)| *of == ours.name() && *known == value && !is_ours(word));
            match ours.kind() {
                Kind::Choice(_) | Kind::Gain => theirs.map_or_else(|| value.replace('-', "_"), |word| word.1.into()),
                _ => value.into(),
            }
        });
        TheirParameter { word: word.into(), default, ours }
    }

    /// The slope in effect. Some frameworks read it only for the leaky rectifier, and have a default.
    pub(super) fn slope(self, gain: Option<&str>, given: Option<String>) -> Option<String> {
        match self.framework.default_slope {
            Some(default) => (gain == Some("leaky-relu")).then(|| given.unwrap_or_else(|| default.into())),
            None => given,
        }
    }
}

/// Every word for a parameter, with its framework, empty for [`COMMON`].
pub fn parameter_words() -> impl Iterator<Item = (&'static str, &'static ParameterAlias)> {
    let common = COMMON.parameters.iter().map(|word| ("", word));
    common.chain(FRAMEWORKS.iter().flat_map(|row| row.parameters.iter().map(|word| (row.word, word))))
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
            ("kaiming_uniform_:a=0.2", "he-uniform:gain=leaky-relu,slope=0.2"),
            ("kaiming_uniform_(a=sqrt(5))", "he-uniform:gain=leaky-relu,slope=2.23606797749979"),
            (
                "kaiming_normal_(mode='fan_out', nonlinearity='leaky_relu')",
                "he-normal:gain=leaky-relu,slope=0,mode=fan-out",
            ),
            ("nn.init.normal_(0, 0.02)", "normal:std=0.02,mean=0"),
            ("init.trunc_normal_(0, 1, -3, 3)", "truncated-normal:std=1,low=-3,high=3"),
            ("torch.nn.init.orthogonal_(5/3)", "orthogonal:1.6666666666666667"),
            ("np.random.uniform(-0.1, 0.1)", "uniform:low=-0.1,high=0.1"),
            ("normal:0,0.02", "normal:std=0.02"),
            ("keras.initializers.RandomNormal(0, 0.02)", "normal:std=0.02"),
            ("tf.keras.initializers.Constant(0.5)", "constant:0.5"),
            ("Xavier Uniform", "glorot-uniform"),
            ("torch.sparse_:sparsity=0.75", "torch.sparse_:zeros=0.75"),
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
            ("trunc_normal_:a=-1,b=1", "truncated-normal:std=1,low=-1,high=1"),
            ("flax.uniform:scale=0.1", "uniform:low=0,high=0.1"),
            ("flax.truncated_normal:lower=-1,upper=1", "truncated-normal:low-sigma=-1,high-sigma=1"),
            ("numpy.normal:loc=1,scale=2", "normal:mean=1,std=2"),
            ("reservoirpy.normal:loc=1,scale=2", "normal:mean=1,std=2"),
            ("mxnet.Xavier:rnd_type=gaussian", "magnitude-scaling:distribution=normal"),
            ("torch.log_normal_:mean=0,std=1", "log-normal:mu=0,sigma=1"),
            ("peft.lora_A:init_lora_weights=gaussian", "lora-a:distribution=normal"),
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
            "normal(0.02)",
            "mindspore.Normal(0.01, 0)",
            "kaiming_uniform_(0.2)",
            "np.random.randn(3, 4)",
        ] {
            assert!(canonical(text).is_err(), "{text} was taken");
        }
    }
}
