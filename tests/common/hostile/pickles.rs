//! `PyTorch` archives with pickles that no state dict would have.

use super::zips::{Member, archive, member};
use super::{Cases, named};

pub(crate) const ORDERED: &[u8] = b"ccollections\nOrderedDict\n)R";

pub(crate) fn text(text: &str) -> Vec<u8> {
    [b"X", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat()
}

pub(crate) fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

pub(crate) fn byte(number: u8) -> Vec<u8> {
    vec![b'K', number]
}

/// A number as `LONG1`.
fn long(number: i64) -> Vec<u8> {
    [&[0x8a, 8][..], &number.to_le_bytes()].concat()
}

pub(crate) fn sizes(sizes: &[u8]) -> Vec<u8> {
    tuple(&sizes.iter().map(|&size| byte(size)).collect::<Vec<_>>())
}

pub(crate) fn storage(class: &str, key: &str, count: Vec<u8>) -> Vec<u8> {
    let global = format!("ctorch\n{class}\n").into_bytes();
    [tuple(&[text("storage"), global, text(key), text("cpu"), count]), b"Q".to_vec()].concat()
}

pub(crate) fn singles() -> Vec<u8> {
    storage("FloatStorage", "0", byte(6))
}

pub(crate) fn tensor(storage: Vec<u8>, offset: Vec<u8>, shape: Vec<u8>, strides: Vec<u8>) -> Vec<u8> {
    let arguments = tuple(&[storage, offset, shape, strides, vec![0x89], ORDERED.to_vec()]);
    [&b"ctorch._utils\n_rebuild_tensor_v2\n"[..], &arguments, b"R"].concat()
}

pub(crate) fn weight() -> Vec<u8> {
    tensor(singles(), byte(0), sizes(&[2, 3]), sizes(&[3, 1]))
}

/// A state dict of these entries.
pub(crate) fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<u8> = entries.iter().flat_map(|(name, value)| [text(name), value.clone()].concat()).collect();
    [b"\x80\x02", ORDERED, b"(", &entries, b"u."].concat()
}

fn only(value: Vec<u8>) -> Vec<u8> {
    dict(&[("w", value)])
}

/// The instructions in place of a pickle's tensors.
pub(crate) fn program(instructions: &[u8]) -> Vec<u8> {
    [b"\x80\x02", instructions, b"."].concat()
}

fn members(pickle: Vec<u8>) -> [Member; 2] {
    [member(b"a/data.pkl", pickle), member(b"a/data/0", vec![0; 24])]
}

fn file(pickle: Vec<u8>) -> Vec<u8> {
    archive(&members(pickle))
}

/// An archive of a pickle and of storages by name.
pub(crate) fn with_storages(pickle: Vec<u8>, storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let storage = |(name, bytes): &(&str, Vec<u8>)| member(format!("a/data/{name}").as_bytes(), bytes.clone());
    let members: Vec<Member> =
        [member(b"a/data.pkl", pickle)].into_iter().chain(storages.iter().map(storage)).collect();
    archive(&members)
}

/// The format of torch before 1.6: a pickle of values, and storages by name and number of elements.
pub(crate) fn legacy(pickle: &[u8], storages: &[(&str, u64, Vec<u8>)]) -> Vec<u8> {
    let names: Vec<u8> = storages.iter().flat_map(|(name, ..)| text(name)).collect();
    let values = storages.iter().flat_map(|(_, count, bytes)| [&count.to_le_bytes()[..], bytes].concat());
    let opening: [&[u8]; 4] =
        [b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x02M\xe9\x03.", b"\x80\x02}.", pickle];
    [opening.concat(), [b"\x80\x02](", &names[..], b"e."].concat(), values.collect()].concat()
}

/// A good archive, its second member changed.
fn with_values(change: impl FnOnce(&mut Member)) -> Vec<u8> {
    let [pickle, mut values] = members(only(weight()));
    change(&mut values);
    archive(&[pickle, values])
}

pub(super) fn refused() -> Cases {
    let pickles = programs().into_iter().chain(tensors());
    pickles.map(|(what, pickle)| (what, file(pickle))).chain(archives()).collect()
}

/// Pickles that do what no state dict does.
fn programs() -> Cases {
    named([
        ("an empty pickle", Vec::new()),
        ("protocol 6", b"\x80\x06}.".to_vec()),
        ("a frame cut short", b"\x80\x04\x95\x09\0\0".to_vec()),
        ("no end", b"\x80\x02}".to_vec()),
        ("bytes after the end", [dict(&[]), b"x".to_vec()].concat()),
        ("values left behind", program(b"}}")),
        ("a mark left behind", program(b"(}")),
        ("nothing at the end", program(b"")),
        ("a number", program(b"K\x01")),
        ("a text", program(&text("hello"))),
        ("os.system", program(&[&b"cos\nsystem\n"[..], &text("touch pwned"), b"\x85R"].concat())),
        ("builtins.eval", program(&[&b"cbuiltins\neval\n"[..], &text("1"), b"\x85R"].concat())),
        ("torch.load", program(b"ctorch\nload\n)R")),
        ("a class by its instance", program(b"(ios\nsystem\n")),
        ("a new object of a number", program(b"K\x01)\x81")),
        ("an object of nothing", program(b"(o")),
        ("a value out of band", program(b"\x97")),
        ("a stack global", program(b"\x8c\x02os\x8c\x06system\x93")),
        ("an extension", program(b"\x82\x01")),
        ("a global without an end", b"\x80\x02ccollections".to_vec()),
        ("a global of a megabyte", program(&[b"c", &vec![b'a'; 1 << 20][..], b"\nb\n"].concat())),
        ("a terminal's escape", program(b"c\x1b[2J\nx\n")),
        ("a global that is no text", program(b"c\xff\xfe\nx\n")),
        ("a text called", program(&[&text("f")[..], b")R"].concat())),
        ("a storage class called", program(b"ctorch\nFloatStorage\n)R")),
        ("a call with no arguments", program(b"R")),
        ("an ordered dict of something", program(b"ccollections\nOrderedDict\n(K\x01tR")),
        ("a pop of nothing", program(b"0")),
        ("a mark that is not there", program(b"t")),
        ("entries of what is no dict", program(b"K\x01(K\x01K\x02u")),
        ("an entry of nothing", program(b"s")),
        ("a key without a value", program(b"}(K\x01u")),
        ("attributes of a tensor", only([weight(), b"}b".to_vec()].concat())),
        ("attributes of a text", program(&[&text("a")[..], b"}b"].concat())),
        ("elements of a dict", program(b"}K\x01a")),
        ("pairs of a list", program(b"](K\x01K\x02u")),
        ("a dict of a number", program(b"ccollections\nOrderedDict\nK\x01\x85R")),
        ("a dict of what are no pairs", program(b"ccollections\nOrderedDict\n]K\x01a\x85R")),
        ("a dict of all of itself", program(b"ccollections\nOrderedDict\n]q\0h\0a\x85R")),
        ("a memo that was not kept", program(b"h\x07")),
        ("a memo at 2^32-1", program(b"}r\xff\xff\xff\xff")),
        ("a text past the end", program(b"X\xff\xff\xff\x7fa")),
        ("a text that is no UTF-8", program(b"X\x01\0\0\0\xff")),
        ("a number of 255 bytes", program(&[&b"\x8a\xff"[..], &[1; 255]].concat())),
        ("ten thousand tuples", program(&[&b")"[..], &[0x85; 10_000]].concat())),
        ("tuples of tuples of a memo", program(&[&b")q\0"[..], &b"h\0h\0\x86q\0".repeat(64)].concat())),
        ("more than 2^20 values", program(&vec![b'N'; (1 << 20) + 1])),
        ("more than 2^20 marks", program(&vec![b'('; (1 << 20) + 1])),
    ])
}

/// Pickles of tensors that cannot be.
fn tensors() -> Cases {
    named([
        ("a list as a name", program(&[ORDERED, b"]", &weight(), b"s"].concat())),
        ("a name of 5,000 bytes", dict(&[(&"x".repeat(5000), weight())])),
        ("a name that is no UTF-8", program(&[ORDERED, b"X\x01\0\0\0\xff", &weight(), b"s"].concat())),
        (
            "a name twice, joined",
            program(
                &[ORDERED, &text("a.b"), &weight(), b"s", &text("a"), ORDERED, &text("b"), &weight(), b"ss"].concat(),
            ),
        ),
        ("a name twice", dict(&[("w", weight()), ("w", weight())])),
        ("a dict in the dict", only(b"}".to_vec())),
        ("a dict that holds itself", program(&[b"}q\0", &text("w")[..], b"h\0s"].concat())),
        ("a number in the dict", only(byte(3))),
        ("a storage in the dict", only(singles())),
        (
            "an unknown storage",
            only(tensor(storage("QuantumStorage", "0", byte(6)), byte(0), sizes(&[6]), sizes(&[1]))),
        ),
        ("a storage that is no storage", only(tensor(byte(1), byte(0), sizes(&[6]), sizes(&[1])))),
        ("a module from elsewhere", program(&[&tuple(&[text("module"), text("x")])[..], b"Q"].concat())),
        (
            "a storage without a member",
            only(tensor(storage("FloatStorage", "7", byte(6)), byte(0), sizes(&[6]), sizes(&[1]))),
        ),
        (
            "a storage out of its folder",
            only(tensor(storage("FloatStorage", "../data.pkl", byte(6)), byte(0), sizes(&[6]), sizes(&[1]))),
        ),
        (
            "a storage larger than its member",
            only(tensor(storage("FloatStorage", "0", byte(7)), byte(0), sizes(&[6]), sizes(&[1]))),
        ),
        (
            "a storage of another type",
            only(tensor(storage("DoubleStorage", "0", byte(6)), byte(0), sizes(&[6]), sizes(&[1]))),
        ),
        (
            "a storage of 2^62",
            only(tensor(storage("DoubleStorage", "0", long(1 << 62)), byte(0), sizes(&[6]), sizes(&[1]))),
        ),
        ("a storage of -1", only(tensor(storage("FloatStorage", "0", long(-1)), byte(0), sizes(&[6]), sizes(&[1])))),
        ("a shape past the storage", only(tensor(singles(), byte(0), sizes(&[7]), sizes(&[1])))),
        ("an offset past the storage", only(tensor(singles(), byte(4), sizes(&[3]), sizes(&[1])))),
        ("an offset of 2^63-1", only(tensor(singles(), long(i64::MAX), sizes(&[3]), sizes(&[1])))),
        ("an offset of -1", only(tensor(singles(), long(-1), sizes(&[3]), sizes(&[1])))),
        ("a shape of 2^62", only(tensor(singles(), byte(0), tuple(&[long(1 << 62)]), sizes(&[1])))),
        (
            "a shape that wraps",
            only(tensor(singles(), byte(0), tuple(&[long(1 << 32), long(1 << 32)]), sizes(&[0, 1]))),
        ),
        ("a negative size", only(tensor(singles(), byte(0), tuple(&[long(-2)]), sizes(&[1])))),
        ("a shape of texts", only(tensor(singles(), byte(0), tuple(&[text("2")]), sizes(&[1])))),
        ("a shape that is a number", only(tensor(singles(), byte(0), byte(6), sizes(&[1])))),
        ("33 axes", only(tensor(singles(), byte(0), sizes(&[1; 33]), sizes(&[1; 33])))),
        ("strides past the storage", only(tensor(singles(), byte(0), sizes(&[3, 2]), sizes(&[1, 4])))),
        ("strides that wrap", only(tensor(singles(), byte(0), sizes(&[3, 3]), tuple(&[long(1 << 62), long(1 << 62)])))),
        ("a stride below 0", only(tensor(singles(), byte(5), sizes(&[3]), tuple(&[long(-1)])))),
        ("too few strides", only(tensor(singles(), byte(0), sizes(&[2, 3]), sizes(&[1])))),
        (
            "a tensor of two arguments",
            only([&b"ctorch._utils\n_rebuild_tensor_v2\n"[..], &sizes(&[1, 2]), b"R"].concat()),
        ),
        ("a parameter of no tensor", only(b"ctorch._utils\n_rebuild_parameter\n(K\x01\x89}tR".to_vec())),
    ])
}

/// Archives with a valid pickle.
fn archives() -> Cases {
    named([
        ("no values", archive(&members(only(weight()))[..1])),
        (
            "values cut short",
            with_values(|member| {
                member.data.truncate(20);
                (member.packed, member.size) = (20, 20);
            }),
        ),
        ("values with a wrong checksum", with_values(|member| member.checksum ^= 1)),
        (
            "values in another folder",
            with_values(|member| {
                (member.name, member.local_name) = (b"b/data/0".to_vec(), b"b/data/0".to_vec());
            }),
        ),
        ("deflated values", with_values(|member| member.method = 8)),
        ("encrypted values", with_values(|member| member.flags = 1)),
        ("a pickle with a wrong checksum", {
            let [pickle, values] = members(only(weight()));
            archive(&[Member { checksum: pickle.checksum ^ 1, ..pickle }, values])
        }),
        ("two pickles", {
            let [pickle, values] = members(only(weight()));
            archive(&[pickle.clone(), pickle, values])
        }),
        ("an unknown byte order", {
            let [pickle, values] = members(only(weight()));
            archive(&[pickle, values, member(b"a/byteorder", b"middle".to_vec())])
        }),
    ])
}

/// Archives that are as good as those of `torch.save`.
pub(super) fn odd() -> Cases {
    let half = |offset| tensor(singles(), byte(offset), sizes(&[3]), sizes(&[1]));
    let parameter = [&b"ctorch._utils\n_rebuild_parameter\n"[..], &tuple(&[weight(), vec![0x88], b"}".to_vec()]), b"R"];
    let [pickle, values] = members(only(weight()));
    named([
        ("a good archive", file(only(weight()))),
        ("a plain dict", file(program(&[b"}", &text("w")[..], &weight(), b"s"].concat()))),
        ("no tensor", file(dict(&[]))),
        ("another protocol", file(b"\x80\x04\x95\x02\0\0\0\0\0\0\0}.".to_vec())),
        ("a new object", file(program(b"ccollections\nOrderedDict\n)\x81"))),
        ("attributes that are a number", file(program(b"}K\x01b"))),
        ("one storage of two tensors", file(dict(&[("a", half(0)), ("b", half(3)), ("c", half(1))]))),
        ("integers", file(only(tensor(storage("LongStorage", "0", byte(3)), byte(0), sizes(&[3]), sizes(&[1]))))),
        ("a parameter", file(only(parameter.concat()))),
        ("attributes", file(program(&[ORDERED, &text("w"), &weight(), b"s}b"].concat()))),
        ("any strides along one", file(only(tensor(singles(), byte(0), sizes(&[1, 6]), sizes(&[9, 1]))))),
        ("a damaged recipe", archive(&[pickle, values, member(b"a/fanin.json", b"{".to_vec())])),
    ])
}
