//! Zip archives made by hand, each a little wrong.

use super::{Cases, named, npy, singles};

/// A member as both of its headers tell of it.
#[derive(Clone)]
pub(crate) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) local_name: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) checksum: u32,
    pub(super) packed: u32,
    pub(super) size: u32,
    /// Added to where its local header lies.
    pub(super) shift: u32,
    pub(super) comment: Vec<u8>,
    pub(super) extra: Vec<u8>,
}

pub(crate) fn member(name: &[u8], data: Vec<u8>) -> Member {
    let size = u32::try_from(data.len()).unwrap();
    let (checksum, name) = (crc32fast::hash(&data), name.to_vec());
    Member {
        local_name: name.clone(),
        name,
        data,
        flags: 0,
        method: 0,
        checksum,
        packed: size,
        size,
        shift: 0,
        comment: Vec::new(),
        extra: Vec::new(),
    }
}

impl Member {
    pub(crate) fn without_checksum(self) -> Self {
        Self { checksum: 0, ..self }
    }
}

fn weight() -> Member {
    member(b"w.npy", singles("(2,)", 2))
}

/// What the end of an archive says.
#[derive(Clone)]
struct End {
    disk: u16,
    here: u16,
    all: u16,
    size: u32,
    directory: u32,
    comment_length: u16,
    comment: Vec<u8>,
}

fn numbers16(bytes: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        bytes.extend(number.to_le_bytes());
    }
}

fn numbers32(bytes: &mut Vec<u8>, numbers: &[u32]) {
    for number in numbers {
        bytes.extend(number.to_le_bytes());
    }
}

fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap()
}

/// The members and the directory, and an honest end that has yet to be written.
fn body(members: &[Member]) -> (Vec<u8>, End) {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let offset = u32::try_from(bytes.len()).unwrap() + member.shift;
        let sizes = [member.checksum, member.packed, member.size];
        bytes.extend(b"PK\x03\x04");
        numbers16(&mut bytes, &[20, member.flags, member.method, 0, 33]);
        numbers32(&mut bytes, &sizes);
        numbers16(&mut bytes, &[length(&member.local_name), 0]);
        bytes.extend(&member.local_name);
        bytes.extend(&member.data);
        directory.extend(b"PK\x01\x02");
        numbers16(&mut directory, &[20, 20, member.flags, member.method, 0, 33]);
        numbers32(&mut directory, &sizes);
        numbers16(&mut directory, &[length(&member.name), length(&member.extra), length(&member.comment), 0, 0]);
        numbers32(&mut directory, &[0, offset]);
        directory.extend([&member.name[..], &member.extra, &member.comment].concat());
    }
    let (begin, count) = (u32::try_from(bytes.len()).unwrap(), u16::try_from(members.len()).unwrap());
    let size = u32::try_from(directory.len()).unwrap();
    bytes.extend(directory);
    let end = End { disk: 0, here: count, all: count, size, directory: begin, comment_length: 0, comment: Vec::new() };
    (bytes, end)
}

fn finished(mut bytes: Vec<u8>, end: &End) -> Vec<u8> {
    bytes.extend(b"PK\x05\x06");
    numbers16(&mut bytes, &[end.disk, end.disk, end.here, end.all]);
    numbers32(&mut bytes, &[end.size, end.directory]);
    numbers16(&mut bytes, &[end.comment_length]);
    bytes.extend(&end.comment);
    bytes
}

pub(crate) fn archive(members: &[Member]) -> Vec<u8> {
    let (bytes, end) = body(members);
    finished(bytes, &end)
}

/// An archive of one valid member with a changed end.
fn with_end(change: impl FnOnce(&mut End)) -> Vec<u8> {
    let (bytes, mut end) = body(&[weight()]);
    change(&mut end);
    finished(bytes, &end)
}

/// An archive of one member that is changed.
fn with_member(change: impl FnOnce(&mut Member)) -> Vec<u8> {
    let mut member = weight();
    change(&mut member);
    archive(&[member])
}

/// An archive whose zip64 record says: its own length, members, size of the directory, its place; and the locator: where.
fn with_zip64(change: impl FnOnce(&mut [u64; 5])) -> Vec<u8> {
    let (bytes, end) = body(&[weight()]);
    let here = bytes.len() as u64;
    let mut fields = [44, 1, end.size.into(), end.directory.into(), here];
    change(&mut fields);
    let end = End { here: u16::MAX, all: u16::MAX, size: u32::MAX, directory: u32::MAX, ..end };
    finished(zip64_record(bytes, fields), &end)
}

/// The same with an end that says all itself, as Python writes it between 2 and 4 GiB.
fn with_zip64_and_end(change: impl FnOnce(&mut End)) -> Vec<u8> {
    let (bytes, mut end) = body(&[weight()]);
    let fields = [44, 1, end.size.into(), end.directory.into(), bytes.len() as u64];
    change(&mut end);
    finished(zip64_record(bytes, fields), &end)
}

fn zip64_record(mut bytes: Vec<u8>, [own, members, size, directory, located]: [u64; 5]) -> Vec<u8> {
    let put = |bytes: &mut Vec<u8>, number: u64| bytes.extend(number.to_le_bytes());
    bytes.extend(b"PK\x06\x06");
    put(&mut bytes, own);
    numbers16(&mut bytes, &[45, 45]);
    numbers32(&mut bytes, &[0, 0]);
    for number in [members, members, size, directory] {
        put(&mut bytes, number);
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    put(&mut bytes, located);
    numbers32(&mut bytes, &[1]);
    bytes
}

pub(super) fn refused() -> Cases {
    let two = |first: Member, second: Member| archive(&[first, second]);
    let inner = with_end(|_| {});
    named([
        ("a signature alone", b"PK\x03\x04".to_vec()),
        ("an end alone, cut", b"PK\x05\x06\0\0\0\0".to_vec()),
        ("bytes before", [b"PK junk", &inner[..]].concat()),
        ("bytes after", [&inner[..], b"junk"].concat()),
        ("two archives", [&inner[..], &inner].concat()),
        ("bytes before the end", {
            let (mut bytes, end) = body(&[weight()]);
            bytes.extend(b"junk");
            finished(bytes, &end)
        }),
        ("a comment past the end", with_end(|end| end.comment_length = 9)),
        ("several disks", with_end(|end| end.disk = 1)),
        ("members on other disks", with_end(|end| end.all = 2)),
        ("more members than there are", with_end(|end| (end.here, end.all) = (2, 2))),
        ("fewer members than there are", with_end(|end| (end.here, end.all) = (0, 0))),
        ("65,534 members", with_end(|end| (end.here, end.all) = (65534, 65534))),
        ("a directory past the end", with_end(|end| end.directory = 1 << 30)),
        ("a long directory", with_end(|end| end.size = 1 << 30)),
        ("a directory one byte early", with_end(|end| (end.directory, end.size) = (end.directory - 1, end.size + 1))),
        ("zip64 without its record", with_end(|end| end.size = u32::MAX)),
        ("zip64: 2^64-1 members", with_zip64(|fields| fields[1] = u64::MAX)),
        ("zip64: 2^40 members", with_zip64(|fields| fields[1] = 1 << 40)),
        ("zip64: 2^20+1 members", with_zip64(|fields| fields[1] = (1 << 20) + 1)),
        ("zip64: 2 members", with_zip64(|fields| fields[1] = 2)),
        ("zip64: a directory of 2^63", with_zip64(|fields| fields[2] = 1 << 63)),
        ("zip64: a directory at 2^64-1", with_zip64(|fields| fields[3] = u64::MAX)),
        ("zip64: a record of 2^63", with_zip64(|fields| fields[0] = 1 << 63)),
        ("zip64: an end with more members", with_zip64_and_end(|end| (end.here, end.all) = (2, 2))),
        ("zip64: an end with another directory", with_zip64_and_end(|end| end.directory -= 1)),
        ("zip64: a record of 0", with_zip64(|fields| fields[0] = 0)),
        ("zip64: a locator to 2^64-1", with_zip64(|fields| fields[4] = u64::MAX)),
        ("zip64: a locator to 0", with_zip64(|fields| fields[4] = 0)),
        ("a comment that holds an end", {
            let comment = [b"PK\x05\x06", &[0; 18][..], b"x"].concat();
            with_end(|end| (end.comment_length, end.comment) = (length(&comment), comment))
        }),
        ("an encrypted member", with_member(|member| member.flags = 1)),
        ("a strongly encrypted member", with_member(|member| member.flags = 1 | 1 << 6)),
        ("bzip2", with_member(|member| member.method = 12)),
        ("zstd", with_member(|member| member.method = 93)),
        ("an unknown method", with_member(|member| member.method = 77)),
        ("deflate that is none", with_member(|member| member.method = 8)),
        ("a wrong checksum", with_member(|member| member.checksum ^= 1)),
        ("stored, yet of two sizes", with_member(|member| member.size += 1)),
        ("a size past the end", with_member(|member| (member.packed, member.size) = (1 << 30, 1 << 30))),
        ("a bomb", with_member(|member| (member.method, member.size) = (8, 1 << 31))),
        ("zip64 sizes without a field", with_member(|member| (member.packed, member.size) = (u32::MAX, u32::MAX))),
        (
            "zip64 sizes of 2^64-1",
            with_member(|member| {
                (member.packed, member.size) = (u32::MAX, u32::MAX);
                member.extra = [&[1, 0, 16, 0][..], &[0xff; 16]].concat();
            }),
        ),
        ("another name before the data", with_member(|member| member.local_name = b"v.npy".to_vec())),
        ("a header that lies elsewhere", with_member(|member| member.shift = 1)),
        ("a header past the end", with_member(|member| member.shift = 1 << 30)),
        ("no array", archive(&[member(b"data.pkl", b"a pickle".to_vec())])),
        ("a folder", with_member(|member| (member.name, member.local_name) = (b"w.npy/".to_vec(), b"w.npy/".to_vec()))),
        ("a terminal's escape", archive(&[member(b"\x1b[2J", b"no array".to_vec())])),
        ("an empty member", archive(&[member(b"w.npy", Vec::new())])),
        ("a text", archive(&[member(b"w.npy", b"hello".to_vec())])),
        ("an array cut short", archive(&[member(b"w.npy", singles("(3,)", 2))])),
        ("an array with bytes after it", archive(&[member(b"w.npy", singles("(1,)", 2))])),
        ("an array that wraps", archive(&[member(b"w.npy", singles("(4294967296, 4294967296)", 0))])),
        ("an array of 10^18", archive(&[member(b"w.npy", singles("(1000000000000000000,)", 0))])),
        ("an array without a header", archive(&[member(b"w.npy", npy("", &[]))])),
        ("a name twice", two(weight(), weight())),
        ("a member within another", within()),
        ("a member that the directory hides", {
            let (visible, _) = body(&[weight()]);
            let begin = u32::try_from(visible.len() - 51).unwrap();
            let hidden = [&visible[..begin as usize], &visible[..begin as usize], &visible[begin as usize..]].concat();
            let end =
                End { disk: 0, here: 1, all: 1, size: 51, directory: 2 * begin, comment_length: 0, comment: vec![] };
            finished(hidden, &end)
        }),
    ])
}

/// An archive with its second member inside the values of its first.
fn within() -> Vec<u8> {
    let (inner, inner_end) = body(&[weight()]);
    let inner_member = &inner[..inner_end.directory as usize];
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({},)}}", inner_member.len());
    let outer = member(b"v.npy", npy(&header, inner_member));
    let begin = u32::try_from(30 + 5 + 10 + header.len()).unwrap();
    let (first, first_end) = body(&[outer]);
    let (second, second_end) = body(&[Member { shift: begin, ..weight() }]);
    let bytes = [&first[..], &second[second_end.directory as usize..]].concat();
    let end = End { here: 2, all: 2, size: first_end.size + second_end.size, ..first_end };
    finished(bytes, &end)
}

pub(super) fn odd() -> Cases {
    named([
        ("an empty archive", archive(&[])),
        ("zip64 for a small archive", with_zip64(|_| {})),
        ("zip64 that the end does not need", with_zip64_and_end(|_| {})),
        ("a comment that is no recipe", with_end(|end| (end.comment_length, end.comment) = (5, b"hello".to_vec()))),
        (
            "a name that leaves its folder",
            with_member(|member| {
                (member.name, member.local_name) = (b"../../x.npy".to_vec(), b"../../x.npy".to_vec());
            }),
        ),
        ("a member's comment", with_member(|member| member.comment = b"hello".to_vec())),
        // The `zip` crate skips it, as nothing is read from it.
        ("an extra field past its end", with_member(|member| member.extra = vec![1, 0, 200, 0])),
        ("two members", archive(&[weight(), member(b"v.npy", singles("()", 1))])),
    ])
}
