//! What can be kept in state: types that say what their bytes are.
//!
//! The bytes are those of the Swift and the C++ SDK: a plugin can be written anew in another
//! language and finds its state.  They sort as the values do, field by field, so that any of these
//! can be the key of a map, and the first fields of a key are a prefix by which it is found.

use crate::error::{Error, Result};

/// A type that can be kept in state.
///
/// Integers, `bool`, floating point, `String`, `Vec<u8>`, `Option` and tuples of such are; structs
/// are made so by [`codec!`](crate::codec!).
pub trait Codec: Sized {
    /// The number of bytes if it is the same for all values, which are then kept in place.
    const FIXED: Option<usize> = None;
    /// What the bytes mean; to be raised when the type changes.
    const VERSION: u32 = 1;
    /// The oldest version that [`decode_version`](Codec::decode_version) reads.
    const OLDEST: u32 = Self::VERSION;
    /// The oldest version that [`encode_version`](Codec::encode_version) writes.
    const OLDEST_WRITABLE: u32 = Self::VERSION;

    /// Appends the bytes of the value.
    fn encode(&self, to: &mut Vec<u8>);

    /// Reads a value back.
    fn decode(from: &mut Decoder<'_>) -> Result<Self>;

    /// Reads a value that an older version of the type has written.
    fn decode_version(version: u32, from: &mut Decoder<'_>) -> Result<Self> {
        if version == Self::VERSION {
            return Self::decode(from);
        }
        Err(Error::fatal(format!(
            "version {} of the bytes cannot be read; the oldest is {}",
            version,
            Self::VERSION
        )))
    }

    /// Appends the bytes of the value as an older version of the type has them.
    fn encode_version(&self, version: u32, to: &mut Vec<u8>) -> Result {
        if version == Self::VERSION {
            self.encode(to);
            return Ok(());
        }
        Err(Error::fatal(format!(
            "a value of version {} cannot be brought back to version {}; its type has no `back`",
            Self::VERSION,
            version
        )))
    }
}

/// Reads values back from bytes.
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Begins at the first of some bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Decoder { rest: bytes }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads so many bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        if count > self.rest.len() {
            return Err(Error::fatal(format!(
                "stored bytes end early: {} more are needed, {} are left; the type has changed",
                count,
                self.rest.len()
            )));
        }
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn flag(&mut self) -> Result<bool> {
        match self.array::<1>()?[0] {
            0 => Ok(false),
            1 => Ok(true),
            byte => Err(Error::fatal(format!("a stored truth value is {}", byte))),
        }
    }

    fn delimited(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let zero = self.rest.iter().position(|byte| *byte == 0).unwrap_or(self.rest.len());
            bytes.extend_from_slice(self.take(zero)?);
            match self.array::<2>()?[1] {
                0 => return Ok(bytes),
                255 => bytes.push(0),
                mark => {
                    return Err(Error::fatal(format!("stored bytes are no text: 0 {}", mark)));
                }
            }
        }
    }
}

/// A whole value, with nothing behind it.
pub(crate) fn decode_all<T: Codec>(bytes: &[u8], name: &str) -> Result<T> {
    let mut from = Decoder::new(bytes);
    let value = T::decode(&mut from)?;
    if from.rest.is_empty() {
        return Ok(value);
    }
    Err(Error::fatal(format!(
        "state '{}': {} of {} bytes are left over; the type has changed",
        name,
        from.rest.len(),
        bytes.len()
    )))
}

fn append_delimited(bytes: &[u8], to: &mut Vec<u8>) {
    for byte in bytes {
        to.push(*byte);
        if *byte == 0 {
            to.push(255);
        }
    }
    to.extend_from_slice(&[0, 0]);
}

/// The sum of the lengths of fields, if all of them have one.
#[doc(hidden)]
pub const fn sum(lengths: &[Option<usize>]) -> Option<usize> {
    let mut sum = 0;
    let mut index = 0;
    while index < lengths.len() {
        match lengths[index] {
            Some(length) => sum += length,
            None => return None,
        }
        index += 1;
    }
    Some(sum)
}

// Integers: most significant byte first, with the sign bit flipped.
macro_rules! integers {
    ($($type:ty, $bits:ty, $flip:expr;)*) => {$(
        impl Codec for $type {
            const FIXED: Option<usize> = Some(std::mem::size_of::<$type>());
            fn encode(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&((*self as $bits) ^ $flip).to_be_bytes());
            }
            fn decode(from: &mut Decoder<'_>) -> Result<Self> {
                Ok((<$bits>::from_be_bytes(from.array()?) ^ $flip) as $type)
            }
        }
    )*};
}

integers! {
    u8, u8, 0;
    u16, u16, 0;
    u32, u32, 0;
    u64, u64, 0;
    i8, u8, 1 << 7;
    i16, u16, 1 << 15;
    i32, u32, 1 << 31;
    i64, u64, 1 << 63;
}

// Floating point: the bits, inverted for negative numbers and else with the sign bit set.
macro_rules! floats {
    ($($type:ty, $bits:ty, $sign:expr;)*) => {$(
        impl Codec for $type {
            const FIXED: Option<usize> = Some(std::mem::size_of::<$type>());
            fn encode(&self, to: &mut Vec<u8>) {
                let bits = self.to_bits();
                let sorted = if bits & $sign != 0 { !bits } else { bits ^ $sign };
                to.extend_from_slice(&sorted.to_be_bytes());
            }
            fn decode(from: &mut Decoder<'_>) -> Result<Self> {
                let bits = <$bits>::from_be_bytes(from.array()?);
                Ok(<$type>::from_bits(if bits & $sign != 0 { bits ^ $sign } else { !bits }))
            }
        }
    )*};
}

floats! {
    f32, u32, 1 << 31;
    f64, u64, 1 << 63;
}

impl Codec for bool {
    const FIXED: Option<usize> = Some(1);
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        from.flag()
    }
}

impl Codec for String {
    fn encode(&self, to: &mut Vec<u8>) {
        append_delimited(self.as_bytes(), to);
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        String::from_utf8(from.delimited()?)
            .map_err(|_| Error::fatal("a stored text is not UTF-8"))
    }
}

impl Codec for Vec<u8> {
    fn encode(&self, to: &mut Vec<u8>) {
        append_delimited(self, to);
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        from.delimited()
    }
}

/// Bytes as they are, up to the end: what a plugin in C keeps, or a codec of your own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raw(pub Vec<u8>);

impl Codec for Raw {
    fn encode(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.0);
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        Ok(Raw(from.take(from.rest.len())?.to_vec()))
    }
}

// A value that may be missing: 0, or 1 and the value.  Filled up with zeros when it has a fixed
// length.
impl<T: Codec> Codec for Option<T> {
    const FIXED: Option<usize> = sum(&[T::FIXED, Some(1)]);
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(u8::from(self.is_some()));
        match self {
            Some(value) => value.encode(to),
            None => to.resize(to.len() + T::FIXED.unwrap_or(0), 0),
        }
    }
    fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        if from.flag()? {
            return T::decode(from).map(Some);
        }
        from.take(T::FIXED.unwrap_or(0))?;
        Ok(None)
    }
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),+);)*) => {$(
        impl<$($type: Codec),+> Codec for ($($type,)+) {
            const FIXED: Option<usize> = sum(&[$($type::FIXED),+]);
            fn encode(&self, to: &mut Vec<u8>) {
                $(self.$index.encode(to);)+
            }
            fn decode(from: &mut Decoder<'_>) -> Result<Self> {
                Ok(($($type::decode(from)?,)+))
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
}

/// Defines a struct that can be kept in state, field by field.
///
/// ```
/// apus::codec! {
///     #[derive(Debug, PartialEq)]
///     pub struct TicketV1 {
///         pub is_urgent: bool,
///     }
/// }
///
/// // What has changed says what it was, and how the old becomes the new.
/// apus::codec! {
///     #[derive(Debug, PartialEq)]
///     pub struct Ticket {
///         pub is_urgent: bool,
///         pub since: i64,
///     }
///     version 2, from TicketV1: |old| Ticket { is_urgent: old.is_urgent, since: 0 };
/// }
///
/// // And, when it can, what its values were.  With that in each type of the chain, and for all
/// // states of the operator, a swap to a bad version can be undone without a checkpoint.
/// apus::codec! {
///     #[derive(Debug, PartialEq)]
///     pub struct TicketV3 {
///         pub is_urgent: bool,
///     }
///     version 3, from Ticket: |old| TicketV3 { is_urgent: old.is_urgent },
///         back: |now| Ok(Ticket { is_urgent: now.is_urgent, since: 0 });
/// }
/// ```
#[macro_export]
macro_rules! codec {
    (
        $(#[$meta:meta])* $visibility:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_visibility:vis $field:ident : $type:ty),* $(,)?
        }
        $(version $version:literal, from $old:ty : $migrate:expr $(, back: $back:expr)?;)?
    ) => {
        $(#[$meta])* $visibility struct $name {
            $($(#[$field_meta])* $field_visibility $field: $type,)*
        }

        impl $crate::Codec for $name {
            const FIXED: Option<usize> =
                $crate::codec::sum(&[$(<$type as $crate::Codec>::FIXED),*]);
            $(
                const VERSION: u32 = $version;
                const OLDEST: u32 = <$old as $crate::Codec>::OLDEST;
                fn decode_version(
                    version: u32,
                    from: &mut $crate::Decoder<'_>,
                ) -> $crate::Result<Self> {
                    if version == $version {
                        return <Self as $crate::Codec>::decode(from);
                    }
                    let migrate: fn($old) -> Self = $migrate;
                    <$old as $crate::Codec>::decode_version(version, from).map(migrate)
                }
                $(
                    const OLDEST_WRITABLE: u32 = <$old as $crate::Codec>::OLDEST_WRITABLE;
                    fn encode_version(&self, version: u32, to: &mut Vec<u8>) -> $crate::Result {
                        if version == $version {
                            $crate::Codec::encode(self, to);
                            return Ok(());
                        }
                        let back: fn(&$name) -> $crate::Result<$old> = $back;
                        $crate::Codec::encode_version(&back(self)?, version, to)
                    }
                )?
            )?
            fn encode(&self, to: &mut Vec<u8>) {
                $($crate::Codec::encode(&self.$field, to);)*
            }
            fn decode(from: &mut $crate::Decoder<'_>) -> $crate::Result<Self> {
                Ok($name { $($field: <$type as $crate::Codec>::decode(from)?,)* })
            }
        }
    };
}
