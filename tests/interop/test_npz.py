"""`.npz` is an archive in which NumPy sees exactly the arrays."""

import io
import json
import os
import struct
import subprocess
import zipfile

import numpy as np

from support import Case, FANIN, LIMIT, init, members, run

NAMES = {
    "weight": "37x23",
    "model.layers.0.self_attn.q_proj.weight": "4x4",
    "dense/kernel:0": "3x3x2x5",
    "größe": "7",
    "a b": "()",
    "empty": "0x5",
}
TENSORS = [f"{name}={shape}" for name, shape in NAMES.items()]


class Npz(Case):
    def test_numpy_sees_exactly_the_arrays_by_name(self):
        for dtype in ["f64", "f32", "f16", "bf16"]:
            with self.subTest(dtype=dtype):
                data = init("normal", *TENSORS, "--dtype", dtype, "--format", "npz")
                with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
                    self.assertEqual(loaded.files, list(NAMES))
                    for name, shape in NAMES.items():
                        alone = np.load(io.BytesIO(init("normal", f"{name}={shape}", "--dtype", dtype)))
                        self.same_bits(loaded[name], alone)

    def test_members_are_npy_files_of_a_sound_archive_with_a_fixed_date(self):
        archive = members(init("normal", *TENSORS, "--format", "npz"))
        self.assertIsNone(archive.testzip())
        for member, (name, shape) in zip(archive.infolist(), NAMES.items(), strict=True):
            self.assertEqual(member.filename, f"{name}.npy")
            self.assertEqual(member.date_time, (1980, 1, 1, 0, 0, 0))
            self.assertEqual(member.compress_type, zipfile.ZIP_STORED)
            self.assertEqual(member.external_attr >> 16 & 0o777, 0o644)
            self.assertEqual(archive.read(member), init("normal", f"{name}={shape}"))

    def test_comments_hold_the_recipe(self):
        archive = members(init("he-normal", "a=8x4", "b=4x2", "--seed", 2**64 - 1, "--format", "npz"))
        head = json.loads(archive.comment)
        self.assertEqual(head, {"schema": 1, "generator": "native-1", "seed": "18446744073709551615"})
        comments = {member.filename: json.loads(member.comment) for member in archive.infolist()}
        scheme = "he-normal:gain=relu,mode=fan-in"
        self.assertEqual(comments["a.npy"], {"scheme": scheme, "shape": [8, 4], "dtype": "f32", "layout": "io"})
        self.assertEqual(comments["b.npy"], {"scheme": scheme, "shape": [4, 2], "dtype": "f32", "layout": "io"})

    def test_a_file_a_pipe_and_any_number_of_threads_get_the_same_bytes(self):
        tensors = ["a=700x400", "b=()", "c=0x5", "d=100001"]
        piped = init("normal", *tensors, "--format", "npz")
        for threads in [1, 2, 3, 7, 64]:
            path = self.folder / f"{threads}.npz"
            init("normal", *tensors, "--threads", threads, "-o", path)
            self.assertEqual(path.read_bytes(), piped)
            self.assertEqual(init("normal", *tensors, "--threads", threads, "--format", "npz"), piped)

    def test_unzip_finds_no_fault(self):
        unzip = self.tool("unzip")
        path = self.folder / "w.npz"
        init("normal", *TENSORS, "-o", path)
        done = subprocess.run([unzip, "-t", path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("No errors detected", done.stdout)

    def test_sizes_are_in_zip64_fields_and_agree_wherever_they_stand(self):
        data = init("normal", *TENSORS, "--format", "npz")
        self.check_structure(data, 0, members(data).infolist())

    def check_structure(self, data, base, infos):
        """Reads the local headers and data descriptors, which zipfile skips, in `data` from `base` on."""
        for info in infos:
            at = info.header_offset - base
            (magic, version, flags, method, _, _, crc, packed, size, name, extra) = struct.unpack_from(
                "<4s5H3L2H", data, at
            )
            self.assertEqual((magic, version, method, crc), (b"PK\3\4", 45, 0, 0))
            self.assertEqual(flags, 1 << 3 | 1 << 11)
            self.assertEqual((packed, size, extra), (2**32 - 1, 2**32 - 1, 20))
            field = struct.unpack_from("<2H2Q", data, at + 30 + name)
            self.assertEqual(field, (1, 16, info.file_size, info.file_size))
            after = at + 30 + name + extra + info.file_size
            if after + 24 <= len(data):
                descriptor = struct.unpack_from("<4sL2Q", data, after)
                self.assertEqual(descriptor, (b"PK\7\x08", info.CRC, info.file_size, info.file_size))

    def test_a_member_over_4_gib_reads_back(self):
        # 4 GiB of zeros through a pipe, of which only the ends are stored: the rest is a hole of a sparse file,
        # which reads as the same zeros.
        path = self.folder / "large.npz"
        count = 2**29 + 1
        command = ["timeout", str(LIMIT), FANIN, "init", "zeros", f"large={count}", "small=3x4"]
        command += ["--dtype", "f64", "--format", "npz", "-q"]
        block, zeros, length = 1 << 20, bytes(1 << 20), 0
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process, open(path, "wb") as file:
            while piece := process.stdout.read(block):
                if piece != zeros:
                    os.pwrite(file.fileno(), piece, length)
                length += len(piece)
            file.truncate(length)
        self.assertEqual(process.returncode, 0)
        self.assertGreater(length, 8 * count)
        with np.load(path) as loaded:
            self.assertEqual(loaded.files, ["large", "small"])
            self.assertTrue((loaded["small"] == np.zeros((3, 4))).all())
        with zipfile.ZipFile(path) as archive:
            large, small = archive.infolist()
            self.assertEqual(large.file_size, 128 + 8 * count)
            self.assertGreater(small.header_offset, 2**32)
            with open(path, "rb") as file:
                file.seek(small.header_offset)
                self.check_structure(file.read(), small.header_offset, [small])
            with archive.open(large) as member:
                self.assertEqual(np.lib.format.read_magic(member), (1, 0))
                self.assertEqual(np.lib.format.read_array_header_1_0(member), ((count,), False, np.float64))
            self.assertIsNone(archive.testzip(), "the checksum of the large member")

    def test_as_many_members_as_need_zip64_counts(self):
        # Beyond 65,535 the old end of the directory has no room for the count.
        names = [f"t{number}=()" for number in range(66_000)]
        archive = self.folder / "many.npz"
        try:
            run("init", "ones", *names, "-q", "-o", archive)
        except OSError as error:
            self.skipTest(f"a command line of 66,000 tensors is too long for this system ({error.strerror})")
        with np.load(archive) as loaded:
            self.assertEqual(len(loaded.files), 66_000)
            self.assertEqual(loaded["t65999"], 1)

    def test_members_of_any_compression_are_read_beside_what_is_no_array(self):
        values = np.arange(2000, dtype="<f4").reshape(40, 50) / 7
        encoded = io.BytesIO()
        np.save(encoded, values)
        for method in [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]:
            for name in ["w.npy", "w"]:
                with self.subTest(method=method, name=name):
                    path = self.folder / "w.npz"
                    with zipfile.ZipFile(path, "w", method) as archive:
                        archive.writestr("readme.txt", "weights")
                        archive.writestr(name, encoded.getvalue())
                    report = json.loads(run("inspect", "--json", path).stdout)
                    (tensor,) = report["tensors"]
                    self.assertEqual((tensor["name"], tensor["shape"]), ("w", [40, 50]))
                    self.assertAlmostEqual(tensor["mean"], float(values.mean(dtype="f8")), places=9)
                    self.assertIn("readme.txt", " ".join(report["notes"]))
