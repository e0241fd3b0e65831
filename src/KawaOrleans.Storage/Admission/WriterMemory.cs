using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Admission;

namespace KawaOrleans.Storage;

/// <summary>What the writer of a log remembers of its newest events, so that it knows a repeated batch again. Goes from writer to writer:
/// one at a time has it, and uses it under its segment's write gate.</summary>
public sealed class WriterMemory
{
    /// <summary>The size of one event in what <see cref="Segment.Remember"/> answers.</summary>
    public const int EventBytes = 20;

    private readonly BatchAdmission _admission;

    /// <param name="capacity">How many events it holds at most.</param>
    /// <param name="position">Where it begins.</param>
    public WriterMemory(int capacity, long position) => _admission = new BatchAdmission(new RecentEvents(capacity, position));

    /// <summary>The first position it knows.</summary>
    public long Start => _admission.Recent.Start;

    /// <summary>The position behind the last one it knows.</summary>
    public long End => _admission.Recent.End;

    /// <summary>Adds events at <see cref="End"/>, as <see cref="Segment.Remember"/> read them.</summary>
    public void Add(ReadOnlySpan<byte> remembered)
    {
        for (; remembered.Length >= EventBytes; remembered = remembered[EventBytes..])
        {
            var print = new EventPrint(
                BinaryPrimitives.ReadUInt64LittleEndian(remembered), BinaryPrimitives.ReadUInt32LittleEndian(remembered[8..]));
            _admission.Recent.Add(print);
            _admission.Recent.Stamp(End - 1, BinaryPrimitives.ReadInt64LittleEndian(remembered[12..]));
        }
    }

    /// <summary>Forgets the events from a position on: they are not in the log.</summary>
    public void ForgetFrom(long position) => _admission.Recent.TruncateTo(position);

    internal static void Write(Frame frame, Span<byte> remembered)
    {
        var print = EventPrint.Of(frame.Bytes, Checksum.OfEncoded(frame.Bytes));
        BinaryPrimitives.WriteUInt64LittleEndian(remembered, print.Id);
        BinaryPrimitives.WriteUInt32LittleEndian(remembered[8..], print.Content);
        BinaryPrimitives.WriteInt64LittleEndian(remembered[12..], frame.Timestamp);
    }

    /// <summary>Decides of the batches of a block, in order; null when all are to be written.</summary>
    internal BatchOutcome[]? Decide(EventBlock block, long? retrySince, long timestamp)
    {
        var first = End;
        BatchOutcome[]? outcomes = null;
        var begin = 0;
        for (var i = 0; i < block.BatchCount; i++)
        {
            var end = block.Batches[i].EventsEnd;
            var outcome = _admission.Decide(block.Prints[begin..end], retrySince, timestamp);
            if (outcome.Fate != BatchFate.Written && outcomes is null)
            {
                outcomes = new BatchOutcome[block.BatchCount];
                for (int before = 0, from = 0; before < i; from = block.Batches[before++].EventsEnd)
                {
                    outcomes[before] = new BatchOutcome(BatchFate.Written, first + from, block.Batches[before].EventsEnd - from, timestamp);
                }
            }

            if (outcomes is not null)
            {
                outcomes[i] = outcome.IsInLog || outcome.Fate == BatchFate.TooOldToTell ? outcome : outcome with { EventId = block.IdOf(begin + outcome.Count) };
            }

            begin = end;
        }

        return outcomes;
    }
}
