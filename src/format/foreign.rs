//! Detects unsupported formats by their first bytes, and suggests a command to convert them.

/// Extensions of files that are not written, each with the way to such a file.
const UNWRITTEN: &[(&[&str], &str)] = &[
    (&["gguf", "ggml"], "use .safetensors, then llama.cpp's convert_hf_to_gguf.py"),
    (&["h5", "hdf5", "keras"], "use .npz, then model.set_weights in Keras"),
    (&["onnx"], "use .npz, then onnx.numpy_helper.from_array"),
    (&["msgpack"], "use .npz, then flax.serialization.to_bytes"),
    (&["pb", "tflite"], "use .npz, then assign the variables in TensorFlow"),
    (&["ckpt", "bin"], "use .pt, which torch.load reads, or .raw for plain values"),
    (&["pkl", "pickle", "joblib"], "use .npy, which numpy.load reads without pickle"),
    (&["csv", "tsv", "txt"], "use .npy, then numpy.savetxt"),
    (&["zip"], "use .npz, which is a zip archive of arrays"),
    (&["toml", "yaml", "yml"], "use .json"),
    (&["png", "svg", "pdf"], "use .npy, then `fanin inspect` to draw it"),
];

/// The way to a file of this extension, which is not written.
pub(crate) fn instead_of(extension: &str) -> Option<&'static str> {
    UNWRITTEN.iter().find(|(extensions, _)| extensions.contains(&extension)).map(|&(_, instead)| instead)
}

/// Extensions of unsupported weights files.
const OF_WEIGHTS: [&str; 6] = ["gguf", "h5", "hdf5", "keras", "onnx", "msgpack"];

/// True if files of this extension hold weights in an unsupported format.
pub(crate) fn is_foreign(extension: &str) -> bool {
    OF_WEIGHTS.contains(&extension)
}

struct Foreign {
    recognizes: fn(&[u8]) -> bool,
    /// The name, after "it is".
    name: &'static str,
    /// The conversion.
    instead: &'static str,
}

const FROM_HDF5: &str = "in Python, `import h5py, numpy as np; a = {}; h5py.File('FILE').visititems(lambda n, d: a.update({n: d[()]}) \
    if hasattr(d, 'shape') else None); np.savez('w.npz', **a)`";
const FROM_ONNX: &str = "in Python, `import onnx, numpy as np; g = onnx.load('FILE').graph; \
    np.savez('w.npz', **{t.name: onnx.numpy_helper.to_array(t) for t in g.initializer})`";
const FROM_MSGPACK: &str = "in Python, `import numpy as np; from flax import serialization as s, traverse_util as t; \
    np.savez('w.npz', **t.flatten_dict(s.msgpack_restore(open('FILE', 'rb').read()), sep='/'))`";
const FROM_KERAS: &str = "in Python, `import keras, numpy as np; m = keras.models.load_model('FILE'); \
    np.savez('w.npz', **{v.path: np.array(v) for v in m.weights})`";
const DOWNLOAD: &str = "download the file itself";

const FOREIGN: &[Foreign] = &[
    is(
        |b| b.starts_with(b"version https://git-lfs.github.com/"),
        "a Git LFS pointer, not the file itself",
        "run `git lfs pull`",
    ),
    is(is_html, "an HTML page, as a server sends for an error or a login", DOWNLOAD),
    is(|b| text(b).starts_with(b"<?xml"), "XML, as a server sends for an error", DOWNLOAD),
    is(is_hdf5, "HDF5, as Keras writes .h5", FROM_HDF5),
    is(|b| b.starts_with(b"GGUF"), "GGUF of llama.cpp", "use the safetensors checkpoint that it was made from"),
    is(is_ggml, "GGML of llama.cpp", "use the checkpoint that it was made from"),
    is(|b| b.get(4..8) == Some(b"TFL3"), "TensorFlow Lite", "use the checkpoint that it was made from"),
    is(
        |b| b.starts_with(&[8, 1, 0x12]),
        "a SavedModel of TensorFlow",
        "in Python, `import tensorflow as tf, numpy as np; \
        r = tf.train.load_checkpoint('FOLDER/variables/variables'); np.savez('w.npz', **{n: r.get_tensor(n) for n in \
        r.get_variable_to_shape_map() if n[0] != '_'})`",
    ),
    is(is_onnx, "ONNX", FROM_ONNX),
    is(is_msgpack, "MessagePack, as Flax writes it", FROM_MSGPACK),
    is(|b| b.starts_with(b"\x1f\x8b"), "compressed by gzip", "run `gunzip FILE`"),
    is(|b| b.starts_with(b"\x28\xb5\x2f\xfd"), "compressed by zstd", "run `zstd -d FILE`"),
    is(|b| b.starts_with(b"BZh"), "compressed by bzip2", "run `bunzip2 FILE`"),
    is(|b| b.starts_with(b"\xfd7zXZ\0"), "compressed by xz", "run `unxz FILE`"),
    is(|b| b.starts_with(b"\x04\x22\x4d\x18"), "compressed by lz4", "run `lz4 -d FILE`"),
    is(|b| b.starts_with(b"7z\xbc\xaf\x27\x1c"), "a 7z archive", "run `7z x FILE`"),
    is(|b| b.starts_with(b"Rar!\x1a\x07"), "a RAR archive", "run `unrar x FILE`"),
    is(|b| b.get(257..262) == Some(b"ustar"), "a tar archive", "run `tar xf FILE`"),
    is(
        |b| b.starts_with(b"PAR1"),
        "Parquet",
        "in Python, `import pandas; pandas.read_parquet('FILE').to_csv('data.csv', index=False)`",
    ),
    is(
        |b| b.starts_with(b"ARROW1"),
        "Arrow",
        "in Python, `import pandas; pandas.read_feather('FILE').to_csv('data.csv', index=False)`",
    ),
    is(|b| b.starts_with(b"SQLite format 3\0"), "an SQLite database", "use a file of weights"),
    is(|b| b.starts_with(b"%PDF-"), "a PDF document", "use a file of weights"),
    is(
        is_picture,
        "a picture",
        "in Python, `import numpy as np, PIL.Image; np.save('data.npy', np.array(PIL.Image.open('FILE')))`",
    ),
    is(|b| b.starts_with(b"\x7fELF"), "a program", "use a file of weights"),
    is(
        |b| b.starts_with(b"\xff\xfe") || b.starts_with(b"\xfe\xff"),
        "text in UTF-16",
        "run `iconv -f UTF-16 -t UTF-8 FILE`",
    ),
];

const fn is(recognizes: fn(&[u8]) -> bool, name: &'static str, instead: &'static str) -> Foreign {
    Foreign { recognizes, name, instead }
}

/// The name of an unsupported format, and the conversion.
pub(crate) fn foreign(opening: &[u8]) -> Option<String> {
    let found = FOREIGN.iter().find(|foreign| (foreign.recognizes)(opening))?;
    Some(format!("it is {}: {}", found.name, found.instead))
}

/// As [`foreign`], but for a zip archive with these member names.
pub(super) fn foreign_archive(names: &[String]) -> Option<String> {
    let has = |wanted: &str| names.iter().any(|name| name.rsplit('/').next() == Some(wanted));
    if has("model.weights.h5") {
        Some(format!("it is a model of Keras (.keras): {FROM_KERAS}"))
    } else if has("[Content_Types].xml") {
        Some("it is an office document: save it as CSV".into())
    } else {
        None
    }
}

/// Skips a byte order mark and leading blanks.
fn text(opening: &[u8]) -> &[u8] {
    opening.strip_prefix(b"\xef\xbb\xbf").unwrap_or(opening).trim_ascii_start()
}

fn is_html(opening: &[u8]) -> bool {
    let text = text(opening).to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body"].iter().any(|tag| text.starts_with(tag))
}

/// The signature, or MATLAB's text preceding it.
fn is_hdf5(opening: &[u8]) -> bool {
    opening.starts_with(b"\x89HDF\r\n\x1a\n") || opening.starts_with(b"MATLAB 7.3 MAT-file")
}

fn is_ggml(opening: &[u8]) -> bool {
    [b"lmgg", b"tjgg", b"algg", b"fmgg"].iter().any(|magic| opening.starts_with(*magic))
}

/// A version number, then a string or the graph.
fn is_onnx(opening: &[u8]) -> bool {
    matches!(opening, [0x08, 1..=32, 0x12 | 0x1a | 0x22 | 0x3a, ..])
}

/// A map whose first key is a string.
fn is_msgpack(opening: &[u8]) -> bool {
    let key = |byte: u8| matches!(byte, 0xa1..=0xbf | 0xd9);
    match opening {
        [0x81..=0x8f, first, ..] | [0xde, _, _, first, ..] | [0xdf, _, _, _, _, first, ..] => key(*first),
        _ => false,
    }
}

fn is_picture(opening: &[u8]) -> bool {
    let magics: [&[u8]; 6] = [b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM\0", b"II*\0", b"MM\0*"];
    magics.iter().any(|magic| opening.starts_with(magic)) || opening.get(8..12) == Some(b"WEBP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_named_by_their_members() {
        let of = |names: &[&str]| foreign_archive(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(
            of(&["metadata.json", "config.json", "model.weights.h5"]).is_some_and(|message| message.contains("Keras"))
        );
        assert!(of(&["[Content_Types].xml", "xl/workbook.xml"]).is_some_and(|message| message.contains("CSV")));
        assert_eq!(of(&["weight.npy", "README.md"]), None);
    }

    #[test]
    fn formats_that_are_not_read_are_named_with_a_way_out() {
        let tar: Vec<u8> = [&[b'a'; 257][..], b"ustar"].concat();
        let cases: [(&[u8], &str); 17] = [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
            (b"\n<!DOCTYPE html><html>", "HTML"),
            (b"\xef\xbb\xbf<html lang=en>", "HTML"),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied", "XML"),
            (b"\x89HDF\r\n\x1a\n\0\0", "h5py"),
            (b"\x08\x0a\x12\x07pytorch", "onnx"),
            (b"\x08\x01\x12\xff", "SavedModel"),
            (b"GGUF\x03\0\0\0", "GGUF"),
            (b"\x82\xa6params\x81", "flax"),
            (b"\xde\0\x10\xa5layer", "flax"),
            (b"\x1f\x8b\x08\0", "gunzip"),
            (b"\x28\xb5\x2f\xfd\0", "zstd -d"),
            (&tar, "tar xf"),
            (b"%PDF-1.7", "PDF"),
            (b"\x89PNG\r\n\x1a\n", "picture"),
            (b"\xff\xd8\xff\xe0", "picture"),
            (b"\xff\xfe[\0", "UTF-16"),
        ];
        for (opening, word) in cases {
            let message = foreign(opening).unwrap_or_default();
            assert!(message.contains(word) && message.len() < 360, "{opening:?}: {message}");
        }
        for ours in
            [&b"\x93NUMPY"[..], b"PK\x03\x04", b"\x80\x02}q", b"{\"a\":1}", b"[rules]\n", b"seed = 1\n", b"1,2\n", b""]
        {
            assert_eq!(foreign(ours), None, "{ours:?}");
        }
    }
}
