using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;
using Xunit.Abstractions;

namespace KawaOrleans.Storage.Tests.Format;

/// <summary>Arbitrary bytes for every decoder: a status or a refusal, never another exception, never a byte beyond the buffer.
/// The seed is new in every run and printed; <c>KAWA_SEED=n</c> replays it.</summary>
public sealed class DecoderFuzzTests
{
    private static readonly SegmentIdentity Identity = Sample.Header().Identity;
    private readonly Random _random;

    public DecoderFuzzTests(ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("KAWA_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"KAWA_SEED={seed}");
        _random = new Random(seed);
    }

    [Fact]
    public void Frames_of_arbitrary_bytes_with_right_checksums_are_read_or_refused()
    {
        for (var round = 0; round < 50_000; round++)
        {
            var frame = ArbitraryFrame(8192);
            var status = Frame.TryRead(frame, 8192, Identity, out var read);
            if (status == FrameStatus.Whole)
            {
                _ = read.Positions + read.GroupStart + read.Body.Length;
                if (EventFrame.TryOpen(read, 0, out var opened))
                {
                    _ = opened.StreamUtf8.Length + opened.TypeUtf8.Length + opened.Data.Length + opened.Metadata.Length;
                    _ = (opened.Id, opened.OccurredTicks);
                }

                _ = Checkpoint.Read(read);
            }

            _ = Frame.TryRead(Arbitrary(_random.Next(100)), 8192, Identity, out _);
        }
    }

    [Fact]
    public void What_Parse_accepts_every_reader_can_decode()
    {
        var accepted = 0;
        for (var round = 0; round < 10_000; round++)
        {
            var bytes = Sample.Batch(round % 10, 1 + (round % 3), 20).Bytes.ToArray();
            for (var changes = _random.Next(3); changes >= 0; changes--)
            {
                bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);
            }

            if (_random.Next(4) > 0)
            {
                Rehash(bytes);
            }

            try
            {
                var batch = EventBatch.Parse(bytes);
                accepted++;
                var rest = batch.Bytes.ToArray().AsSpan();
                while (!rest.IsEmpty)
                {
                    var frame = rest[..FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(rest[FrameLayout.Length..]))];
                    Sample.StampEncoded(frame, 8192, 8192, 0, 1);
                    Assert.Equal(FrameStatus.Whole, Frame.TryRead(frame, 8192, Identity, out var read));
                    Assert.True(EventFrame.TryOpen(read, 0, out var opened));
                    _ = opened.ToRecordedEvent();
                    rest = rest[frame.Length..];
                }
            }
            catch (BatchRefusedException)
            {
            }
        }

        Assert.True(accepted > 100);
    }

    [Fact]
    public async Task A_file_of_arbitrary_frames_and_sectors_is_served_or_refused_with_a_typed_error()
    {
        var volume = new SimulatedVolume();
        var host = new SegmentHost(volume, new MapCache(), new StillTime(), null);
        using (var segment = SegmentLoader.Create(host, "/a.seg", Sample.Header()))
        {
            var writer = segment.OpenWriter(Guid.NewGuid());
            for (var i = 0; i < 20; i++)
            {
                await writer.AppendAsync(Sample.Batch(i * 3, 3));
            }
        }

        var pristine = volume.Bytes("/a.seg").ToArray();
        int served = 0, refused = 0;
        for (var round = 0; round < 1500; round++)
        {
            var bytes = pristine.ToArray();
            for (var changes = _random.Next(3); changes >= 0; changes--)
            {
                Change(bytes);
            }

            volume.Replace("/a.seg", bytes);
            try
            {
                using var segment = SegmentLoader.Load(host, "/a.seg", writable: true);
                served++;
                for (var position = segment.Header.BasePosition; position < Math.Min(segment.Tail.Position, segment.Header.BasePosition + 100); position++)
                {
                    _ = segment.Read(position, long.MaxValue, 10, 10_000);
                    _ = segment.TryRead(position, out _);
                }
            }
            catch (StorageException)
            {
                refused++;
            }
        }

        Assert.True(served > 50 && refused > 50, $"{served} served, {refused} refused");
    }

    /// <summary>Each frame's hash made right, so that what it holds is looked at, not only that it changed.</summary>
    private static void Rehash(Span<byte> batch)
    {
        while (batch.Length >= FrameLayout.HeaderBytes
            && BinaryPrimitives.ReadInt32LittleEndian(batch[FrameLayout.Length..]) is var length
            && length >= FrameLayout.HeaderBytes && length <= batch.Length - FrameLayout.Alignment + 1)
        {
            var frame = batch[..FrameLayout.Padded(length)];
            Sample.Rehash(frame);
            batch = batch[frame.Length..];
        }
    }

    private void Change(byte[] file)
    {
        switch (_random.Next(4))
        {
            case 0:
                file[_random.Next(8192, 20_000)] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                var at = _random.Next(8192 / 8, 20_000 / 8) * 8;
                ArbitraryFrame(at).CopyTo(file, at);
                break;
            case 2:
                var begin = 8192 + ((20_000 - 8192) * _random.Next(2));
                ArbitraryFrame(begin).CopyTo(file, begin);
                break;
            default:
                // Any field of any sector, with a right checksum.
                var start = new[] { 0, 512, 1024, 1536, 4096, 6144 }[_random.Next(6)];
                var sector = file.AsSpan(start, 512);
                var field = 16 + (8 * _random.Next(33));
                BinaryPrimitives.WriteInt64LittleEndian(sector[field..], Number());
                var magic = new Dictionary<int, string> { [0] = "KAWA.SEG", [512] = "KAWA.OPN", [1024] = "KAWA.FNC", [1536] = "KAWA.END", [4096] = "KAWA.HNT", [6144] = "KAWA.HNT" }[start];
                Sector.Finish(sector, BitConverter.ToUInt64(System.Text.Encoding.ASCII.GetBytes(magic)), start == 0 ? 0 : Identity.ChecksumKey);
                break;
        }
    }

    private byte[] ArbitraryFrame(long offset)
    {
        var length = FrameLayout.HeaderBytes + _random.Next(200);
        var body = length - FrameLayout.HeaderBytes;
        var frame = Arbitrary(FrameLayout.Padded(length));
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(FrameLayout.Length), length);
        frame[FrameLayout.Kind] = (byte)_random.Next(6);
        frame[FrameLayout.Traits] = (byte)_random.Next(5);
        if (body >= sizeof(long) && _random.Next(2) == 0)
        {
            // A checkpoint's covered offset, so that more of its body is looked at.
            BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(FrameLayout.HeaderBytes), offset);
        }

        Sample.Stamp(frame, offset, offset - (8 * _random.Next(3)), (uint)_random.Next(70), Number());
        return frame;
    }

    private long Number() => _random.Next(4) switch
    {
        0 => _random.Next(100),
        1 => _random.NextInt64(long.MinValue, long.MaxValue),
        2 => long.MaxValue - _random.Next(3),
        _ => 8192 + (8 * _random.Next(2000)),
    };

    private byte[] Arbitrary(int length)
    {
        // At the end of an array of its own: an access beyond it throws.
        var bytes = new byte[Math.Max(length, 8)];
        _random.NextBytes(bytes);
        return _random.Next(3) == 0 ? new byte[bytes.Length] : bytes;
    }
}
