using System.Buffers.Binary;
using System.Text;
using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>What one batch expects of streams, checked for form: all of it holds when the batch is written, or nothing is written.</summary>
public sealed class StreamExpectations
{
    private readonly byte[][] _names;

    private StreamExpectations(StreamExpectation[] expected)
    {
        All = expected;
        _names = Array.ConvertAll(expected, static e => Encoding.UTF8.GetBytes(e.Stream));
    }

    /// <summary>Nothing is expected of any stream.</summary>
    public static StreamExpectations None { get; } = new([]);

    /// <summary>The expectations, in the order given: the first that does not hold is the one that is told.</summary>
    public IReadOnlyList<StreamExpectation> All { get; }

    /// <summary>Takes these expectations.</summary>
    /// <exception cref="BatchRefusedException">More than <see cref="Limits.MaxStreamsExpected"/>, a stream twice, or no stream's name.</exception>
    public static StreamExpectations Of(params IReadOnlyList<StreamExpectation> expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        if (expected.Count > Limits.MaxStreamsExpected)
        {
            throw new BatchRefusedException(
                $"A batch expects something of at most {Limits.MaxStreamsExpected} streams, this one of {expected.Count}. Split the batch.");
        }

        var seen = expected.Count > 1 ? new HashSet<string>(expected.Count, StringComparer.Ordinal) : null;
        foreach (var (stream, _) in expected)
        {
            if (Names.WhyNotStream(stream) is { } reason)
            {
                throw new BatchRefusedException($"Stream '{stream}': {reason}.");
            }

            if (seen?.Add(stream) == false)
            {
                throw new BatchRefusedException($"Stream '{stream}' is named twice in one append; name it once, with all its events.");
            }
        }

        return expected.Count == 0 ? None : new StreamExpectations([.. expected]);
    }

    internal ReadOnlySpan<byte> NameUtf8(int index) => _names[index];

    /// <summary>For each stream named, in order, the revision of a batch's last event in it; −1: the batch has none.</summary>
    /// <param name="batch">The batch's frames.</param>
    /// <param name="revisions">The revisions of its events.</param>
    internal long[] LastIn(ReadOnlySpan<byte> batch, ReadOnlySpan<long> revisions)
    {
        var last = new long[All.Count];
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
}
