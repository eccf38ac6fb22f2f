//! The provenance in a file: the origin of its values, without the program's version, so that a release changes no byte.
//!
//! Its keys are the fields below, in alphabetical order, for writers and readers.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::generator::Generator;
use crate::plan::{Common, DrawnTensor, Plan, Tensor, norm_of};
use crate::scheme;
use crate::tensor::{
    Base, CopiedIdentity, DType, Element, Fans, Layout, Name, Seed, Shape, Slice, TensorIdentity, TrainedIdentity,
};
use crate::text::Unique;

/// The key of the provenance in formats with a table of metadata.
pub const KEY: &str = "fanin";

/// The maximum number of values skipped before a tensor: as many as the largest tensor has.
const MAX_SKIPPED: u64 = 1 << 48;

/// The version of the provenance's schema.
pub const SCHEMA: u64 = 1;

/// The origin of a file's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The name of the generator.
    pub generator: String,
    /// The version of the schema.
    pub schema: u64,
    /// As text, since many readers lose digits of 64-bit JSON numbers.
    pub seed: String,
    /// The tensors by name; `None` if each tensor has its own provenance.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "tensors")]
    pub tensors: Option<BTreeMap<String, TensorProvenance>>,
}

/// The origin of one tensor's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorProvenance {
    /// `true` if the values are only approximate; absent if they are the framework's bit for bit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approximate: Option<bool>,
    /// The tensor that its scheme started from, which is required to draw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<TensorIdentity>,
    /// The identity of values copied from another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied: Option<CopiedIdentity>,
    /// The type of its elements.
    pub dtype: String,
    /// The user's fan-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan_in: Option<u64>,
    /// The user's fan-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan_out: Option<u64>,
    /// One letter per axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// The position, from 0, among the tensors that a framework draws in sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    /// The scheme in canonical form; empty if the values were copied.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scheme: String,
    /// The size of each axis.
    pub shape: Vec<u64>,
    /// The number of uniform values that the generator drew before this tensor and discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// The position of a slice in its full tensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<Slice>,
    /// The training of its values; the scheme describes the initial values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<TrainedIdentity>,
}

/// The tensors of a plan by name, each derived when it is written.
struct Tensors<'p>(&'p Plan);

impl Serialize for Tensors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tensors: Vec<&Tensor> = self.0.tensors().iter().collect();
        tensors.sort_unstable_by_key(|tensor| tensor.name());
        serializer.collect_map(tensors.into_iter().map(|tensor| (tensor.name().as_str(), TensorProvenance::of(tensor))))
    }
}

/// Parses the tensors of a provenance. Errors for repeated names.
fn tensors<'de, D: Deserializer<'de>>(source: D) -> Result<Option<BTreeMap<String, TensorProvenance>>, D::Error> {
    Ok(Some(Unique::deserialize(source)?.0.into_iter().collect()))
}

impl Provenance {
    /// The provenance of a plan without its tensors.
    pub fn head(plan: &Plan) -> Self {
        let (generator, seed) = (plan.generator().name.into(), plan.seed().to_string());
        Self { generator, schema: SCHEMA, seed, tensors: None }
    }

    /// Writes the complete provenance of a plan as JSON, one tensor after the other.
    pub fn write(plan: &Plan, out: impl Write) -> Result<()> {
        #[derive(Serialize)]
        struct Whole<'p> {
            #[serde(flatten)]
            head: Provenance,
            tensors: Tensors<'p>,
        }
        Ok(serde_json::to_writer(out, &Whole { head: Self::head(plan), tensors: Tensors(plan) })?)
    }

    /// The complete provenance of a plan as JSON.
    pub fn json(plan: &Plan) -> Result<String> {
        let mut bytes = Vec::new();
        Self::write(plan, &mut bytes)?;
        Ok(String::from_utf8(bytes)?)
    }

    /// Parses a provenance. Errors if its schema is unknown.
    pub fn parse(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            schema: u64,
        }
        // The version comes first: of a later form nothing else is known.
        let Version { schema } = serde_json::from_str(text)?;
        ensure!(schema == SCHEMA, "unsupported schema {schema}: this version of fanin reads {SCHEMA}");
        let provenance: Self = serde_json::from_str(text)?;
        provenance.seed()?;
        Ok(provenance)
    }

    /// The provenance as JSON.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// The seed of all tensors.
    pub fn seed(&self) -> Result<Seed> {
        let seed = self.seed.parse().ok().filter(|seed: &Seed| seed.to_string() == self.seed);
        seed.with_context(|| format!("its seed `{}` is not valid", self.seed))
    }
}

impl TensorProvenance {
    /// The provenance of one tensor.
    pub fn of(tensor: &Tensor) -> Self {
        let initial = tensor.initial();
        let Fans { fan_in, fan_out } = initial.map_or_else(Fans::default, DrawnTensor::given_fans);
        Self {
            approximate: initial.and_then(DrawnTensor::approximate).map(|_| true),
            base: initial.and_then(DrawnTensor::base).cloned(),
            copied: tensor.copied().map(|copied| copied.identity.clone()),
            dtype: tensor.element().word().into(),
            fan_in,
            fan_out,
            layout: initial.and_then(DrawnTensor::layout).map(Into::into),
            order: initial.and_then(|drawn| drawn.spec().order),
            scheme: initial.map_or_else(String::new, |drawn| drawn.expression().into()),
            shape: tensor.shape().axes().into(),
            skipped: initial.map(|drawn| drawn.spec().skipped).filter(|&skipped| skipped > 0),
            slice: tensor.slice().cloned(),
            trained: tensor.trained().cloned(),
        }
    }

    /// Parses the provenance of one tensor.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text)?)
    }

    /// The provenance as JSON.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// The tensor of this provenance, with its distribution.
    pub fn tensor(&self, name: &str, generator: &'static Generator) -> Result<DrawnTensor> {
        self.tensor_from(name, generator, None)
    }

    /// As [`Self::tensor`], for a scheme that may start from another tensor.
    pub fn tensor_from(
        &self,
        name: &str,
        generator: &'static Generator,
        base: Option<&Arc<Base>>,
    ) -> Result<DrawnTensor> {
        ensure!(self.copied.is_none(), "it was copied from another file, not drawn");
        ensure!(self.trained.is_none(), "it was learned from data, not drawn");
        let name: Name = name.parse()?;
        let shape = Shape::new(self.slice.as_ref().map_or(&self.shape, |slice| &slice.of).clone())?;
        let layout = match &self.layout {
            Some(letters) => letters.parse()?,
            None => Layout::default(),
        };
        let fans = Fans { fan_in: self.fan_in, fan_out: self.fan_out };
        let common = Common { dtype: self.element()?, layout, fans, generator };
        let whole = match norm_of(&self.scheme) {
            Some(of) => DrawnTensor::norms(name, shape, of, common.dtype)?,
            None => DrawnTensor::resolved(name, shape, &scheme::resolve(&self.scheme)?, &common, base)?,
        };
        let skipped = self.skipped.unwrap_or_default();
        ensure!(skipped <= MAX_SKIPPED, "it skips {skipped} values: at most 2^48 are allowed");
        let whole = whole.in_order(self.order).skipping(skipped);
        let Some(Slice { start, .. }) = &self.slice else { return Ok(whole) };
        whole.sliced(&self.ranges(start)?)
    }

    /// The range of a slice on each axis, from its start.
    fn ranges(&self, start: &[u64]) -> Result<Vec<Range<u64>>> {
        ensure!(start.len() == self.shape.len(), "its slice has {} axes, not {}", start.len(), self.shape.len());
        let range = |(&start, &size): (&u64, &u64)| Some(start..start.checked_add(size)?);
        start.iter().zip(&self.shape).map(range).collect::<Option<_>>().context("its slice ends past 64 bits")
    }

    /// Errors if its slice is not inside its tensor.
    pub fn check_slice(&self) -> Result<()> {
        let Some(Slice { of, start }) = &self.slice else { return Ok(()) };
        Shape::new(of.clone())?;
        let inside = |(range, &size): (Range<u64>, &u64)| range.start < range.end && range.end <= size;
        let ranges = self.ranges(start)?;
        ensure!(
            ranges.len() == of.len() && ranges.into_iter().zip(of).all(inside),
            "its slice is not inside its tensor"
        );
        Ok(())
    }

    /// The element type, drawn or copied.
    pub fn element(&self) -> Result<Element> {
        Element::of_word(&self.dtype).with_context(|| format!("unknown dtype `{}`", self.dtype))
    }

    /// The type of its elements.
    pub fn dtype(&self) -> Result<DType> {
        self.dtype.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::NATIVE;

    fn plan() -> Plan {
        let tensor = |name: &str, shape: &str, expression, fans| {
            let common = Common { dtype: DType::F32.into(), layout: Layout::default(), fans, generator: NATIVE };
            DrawnTensor::new(name.parse().unwrap(), shape.parse().unwrap(), expression, &common).unwrap()
        };
        let given = Fans { fan_in: Some(9), fan_out: None };
        let tensors = vec![tensor("w", "3x4", "he-normal", given), tensor("b", "4", "zeros", Fans::default())];
        Plan::new(NATIVE, Seed::from(u64::MAX), tensors).unwrap()
    }

    #[test]
    fn the_form_is_fixed_to_the_byte() {
        assert_eq!(
            Provenance::json(&plan()).unwrap(),
            concat!(
                r#"{"generator":"native-1","schema":1,"seed":"18446744073709551615","tensors":{"#,
                r#""b":{"dtype":"f32","scheme":"zeros","shape":[4]},"#,
                r#""w":{"dtype":"f32","fan_in":9,"layout":"io","scheme":"he-normal:gain=relu,mode=fan-in","shape":[3,4]}}}"#
            )
        );
        let head = r#"{"generator":"native-1","schema":1,"seed":"18446744073709551615"}"#;
        assert_eq!(Provenance::head(&plan()).to_json().unwrap(), head);
    }

    #[test]
    fn what_is_written_is_read_back_with_its_distribution() {
        let plan = plan();
        let provenance = Provenance::parse(&Provenance::json(&plan).unwrap()).unwrap();
        assert_eq!(provenance.to_json().unwrap(), Provenance::json(&plan).unwrap());
        for tensor in plan.tensors() {
            let again = provenance
                .tensors
                .as_ref()
                .unwrap()
                .get(tensor.name().as_str())
                .unwrap()
                .tensor(tensor.name().as_str(), NATIVE);
            let tensor = tensor.drawn().unwrap();
            assert_eq!(format!("{:?}", again.unwrap().distribution()), format!("{:?}", tensor.distribution()));
        }
    }

    #[test]
    fn a_base_is_identified_by_its_name_and_hash() {
        let text = r#"{"base":{"dtype":"f32","name":"w","sha256":"00ff","shape":[8,4]},"dtype":"f32","layout":"oi","scheme":"pissa-a:rank=2,scaling=1","shape":[2,4]}"#;
        let provenance = TensorProvenance::parse(text).unwrap();
        assert_eq!(provenance.to_json().unwrap(), text);
        assert!(provenance.tensor("a", NATIVE).is_err(), "its distribution needs the base");
        assert!(TensorProvenance::parse(&text.replace("name", "file")).is_err());
    }

    #[test]
    fn values_that_are_passed_over_are_bounded_and_a_matter_of_torch() {
        let provenance = |skipped: u64| {
            let text = format!(r#"{{"dtype":"f32","order":0,"skipped":{skipped},"scheme":"normal","shape":[4]}}"#);
            TensorProvenance::parse(&text).unwrap()
        };
        assert!(provenance(u64::MAX).tensor("w", NATIVE).is_err());
        for (name, takes) in [("torch-2.15", true), ("jax-0.10", false), ("native-1", false)] {
            let generator = Generator::find(name).unwrap();
            let tensor = provenance(3).tensor("w", generator).unwrap();
            assert_eq!(TensorProvenance::of(&tensor.clone().into()).skipped, Some(3));
            assert_eq!(Plan::new(generator, Seed::default(), vec![tensor]).is_ok(), takes, "{name}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"schema":2,"shards":3}"#,
            r#"{"schema":1,"generator":"native-1"}"#,
            r#"{"schema":1,"generator":"native-1","seed":7}"#,
            r#"{"schema":1,"generator":"native-1","seed":"random"}"#,
            r#"{"schema":1,"generator":"native-1","seed":"1e3"}"#,
            r#"{"schema":1,"generator":"native-1","seed":"1","seed":"2"}"#,
            r#"{"schema":1,"generator":"native-1","seed":"1","version":"0.1"}"#,
        ] {
            assert!(Provenance::parse(text).is_err(), "{text} was taken");
        }
    }
}
