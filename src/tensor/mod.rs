//! The vocabulary of tensors: names, shapes, types, seeds, layouts and slices, valid by construction.

mod axes;
mod base;
mod bfloat16;
mod copied;
mod dtype;
mod element;
mod fans;
mod layout;
mod name;
mod number;
mod seed;
mod shape;
mod slice;
mod stored;
mod trained;
mod unfolding;
mod widen;

pub use axes::{Axes, AxisRole};
pub use base::{Base, TensorIdentity};
pub use bfloat16::to_bfloat16;
pub use copied::{Copied, CopiedIdentity};
pub use dtype::DType;
pub use element::{Element, STORED, Stored};
pub use fans::Fans;
pub use layout::{Convention, LAYOUTS, Layout};
pub use name::Name;
pub use number::{to_f32, to_f64, to_usize};
pub use seed::{Number, Seed, Step};
pub use shape::Shape;
pub use slice::Slice;
pub use stored::{Backing, InMemory, Origin, OriginReader, Recent, StoredTensor, unique};
pub use trained::{Part, TrainedIdentity};
pub use unfolding::{MatrixIndex, Unfolding};
