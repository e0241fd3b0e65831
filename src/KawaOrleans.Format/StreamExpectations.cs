using System.Buffers.Binary;
using System.Text;
using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>What one batch expects of streams, checked for form: all of it holds when the batch is written, or nothing is written.</summary>
/// <remarks>As it travels, for each stream: the length of its name in 2 bytes, the name, what is expected in 8 (<see cref="ExpectedRevision.Code"/>).
/// Kept as names in UTF-8, which is what the writer compares; text is made of them for whoever asks.</remarks>
public sealed class StreamExpectations
{
    private const int LengthBytes = sizeof(ushort);
    private const int CodeBytes = sizeof(long);

    private readonly byte[][] _names;
    private readonly ExpectedRevision[] _revisions;
    private StreamExpectation[]? _all;

    private StreamExpectations(byte[][] names, ExpectedRevision[] revisions) => (_names, _revisions) = (names, revisions);

    /// <summary>Nothing is expected of any stream.</summary>
    public static StreamExpectations None { get; } = new([], []);

    /// <summary>The expectations, in the order given: the first that does not hold is the one that is told.</summary>
    public IReadOnlyList<StreamExpectation> All =>
        _all ??= [.. _names.Select((name, i) => new StreamExpectation(Encoding.UTF8.GetString(name), _revisions[i]))];

    /// <summary>How many streams are named.</summary>
    public int Count => _names.Length;

    /// <summary>The bytes it takes where it travels.</summary>
    internal int EncodedBytes => _names.Sum(static name => LengthBytes + name.Length + CodeBytes);

    /// <summary>Takes these expectations.</summary>
    /// <exception cref="BatchRefusedException">More than <see cref="Limits.MaxStreamsExpected"/>, a stream twice, or no stream's name.</exception>
    public static StreamExpectations Of(params IReadOnlyList<StreamExpectation> expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        if (expected.Count == 0)
        {
            return None;
        }

        RefuseTooMany(expected.Count);
        var (names, revisions) = (new byte[expected.Count][], new ExpectedRevision[expected.Count]);
        for (var i = 0; i < names.Length; i++)
        {
            var (stream, revision) = expected[i];
            Refuse(Names.WhyNotStream(stream), stream);
            (names[i], revisions[i]) = (Encoding.UTF8.GetBytes(stream), revision);
        }

        RefuseTwice(names);
        return new StreamExpectations(names, revisions);
    }

    /// <summary>Reads what travelled, and checks it again.</summary>
    /// <exception cref="BatchRefusedException">As <see cref="Of"/>, or the bytes are none of these.</exception>
    internal static StreamExpectations Decode(ReadOnlySpan<byte> encoded)
    {
        var count = 0;
        for (var rest = encoded; !rest.IsEmpty; rest = rest[BytesOf(rest)..])
        {
            RefuseTooMany(++count);
        }

        if (count == 0)
        {
            return None;
        }

        var (names, revisions) = (new byte[count][], new ExpectedRevision[count]);
        for (var i = 0; i < count; i++)
        {
            var name = encoded[LengthBytes..(BytesOf(encoded) - CodeBytes)];
            var code = BinaryPrimitives.ReadInt64LittleEndian(encoded[(LengthBytes + name.Length)..]);
            if (Names.WhyNotStream(name) is { } reason)
            {
                Refuse(reason, Encoding.UTF8.GetString(name));
            }

            names[i] = name.ToArray();
            revisions[i] = ExpectedRevision.OfCode(code)
                ?? throw new BatchRefusedException($"{code} says nothing of a revision: 0 any, 1 no stream, 2 an existing stream, 3 + n exactly n.");
            encoded = encoded[BytesOf(encoded)..];
        }

        RefuseTwice(names);
        return new StreamExpectations(names, revisions);
    }

    /// <summary>Writes the <see cref="EncodedBytes"/> that travel.</summary>
    internal void Encode(Span<byte> target)
    {
        for (var i = 0; i < _names.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)_names[i].Length);
            _names[i].CopyTo(target[LengthBytes..]);
            BinaryPrimitives.WriteInt64LittleEndian(target[(LengthBytes + _names[i].Length)..], _revisions[i].Code);
            target = target[(LengthBytes + _names[i].Length + CodeBytes)..];
        }
    }

    internal ReadOnlySpan<byte> NameUtf8(int index) => _names[index];

    internal ExpectedRevision ExpectedOf(int index) => _revisions[index];

    /// <summary>For each stream named, in order, the revision of a batch's last event in it; −1: the batch has none.</summary>
    /// <param name="batch">The batch's frames.</param>
    /// <param name="revisions">The revisions of its events.</param>
    internal long[] LastIn(ReadOnlySpan<byte> batch, ReadOnlySpan<long> revisions)
    {
        var last = new long[Count];
        Array.Fill(last, -1);
        var hashes = Array.ConvertAll(_names, static name => EventBody.HashStream(name));
        for (var i = 0; !batch.IsEmpty; i++)
        {
            var hash = BinaryPrimitives.ReadUInt32LittleEndian(batch[FrameLayout.StreamHash..]);
            for (var named = 0; named < hashes.Length; named++)
            {
                if (hashes[named] == hash && EventBody.StreamOf(batch).SequenceEqual(_names[named]))
                {
                    last[named] = revisions[i];
                }
            }

            batch = batch[FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(batch[FrameLayout.Length..]))..];
        }

        return last;
    }

    private static int BytesOf(ReadOnlySpan<byte> encoded)
    {
        var bytes = encoded.Length < LengthBytes ? int.MaxValue : LengthBytes + BinaryPrimitives.ReadUInt16LittleEndian(encoded) + CodeBytes;
        return bytes <= encoded.Length
            ? bytes
            : throw new BatchRefusedException($"What is expected of streams ends amid a stream: {encoded.Length} bytes are left of it.");
    }

    private static void RefuseTooMany(int streams)
    {
        if (streams > Limits.MaxStreamsExpected)
        {
            throw new BatchRefusedException(
                $"A batch expects something of at most {Limits.MaxStreamsExpected} streams, this one of {streams} or more. Split the batch.");
        }
    }

    private static void Refuse(string? reason, string stream)
    {
        if (reason is not null)
        {
            throw new BatchRefusedException($"Stream '{stream}': {reason}.");
        }
    }

    private static void RefuseTwice(byte[][] names)
    {
        if (names.Length > 1)
        {
            var seen = new HashSet<byte[]>(names.Length, SameBytes.Instance);
            if (Array.Find(names, name => !seen.Add(name)) is { } twice)
            {
                throw new BatchRefusedException($"Stream '{Encoding.UTF8.GetString(twice)}' is named twice in one append; name it once, with all its events.");
            }
        }
    }

    private sealed class SameBytes : IEqualityComparer<byte[]>
    {
        public static SameBytes Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => unchecked((int)EventBody.HashStream(obj));
    }
}
