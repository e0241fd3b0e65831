using System.Buffers;
using System.Buffers.Binary;
using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>Whole batches one behind another, checked: what one call brings to a writer. Holds pooled memory besides the bytes it was
/// made from: dispose it once the writer is done with it.</summary>
public sealed class EventBlock : IDisposable
{
    private const int FirstPrints = 64;
    private const int MostFirstPrints = 8192;
    private const int FirstBatches = 8;

    // Growing costs a copy, and every size that was passed through stays with the thread that gave it back.
    private const int UsualFrameBytes = 160;

    private EventPrint[] _prints;
    private BatchExtent[] _batches = ArrayPool<BatchExtent>.Shared.Rent(FirstBatches);

    private EventBlock(ReadOnlyMemory<byte> bytes)
    {
        Bytes = bytes;
        _prints = ArrayPool<EventPrint>.Shared.Rent(Math.Clamp(bytes.Length / UsualFrameBytes, FirstPrints, MostFirstPrints));
    }

    /// <summary>The unstamped frames.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>How many events; at least one.</summary>
    public int EventCount { get; private set; }

    /// <summary>How many batches; at least one.</summary>
    public int BatchCount { get; private set; }

    /// <summary>The stored size of the largest event, padding included.</summary>
    public int LargestEventBytes { get; private set; }

    /// <summary>What to know the events by, in order.</summary>
    internal ReadOnlySpan<EventPrint> Prints => _prints.AsSpan(0, EventCount);

    /// <summary>Where each batch ends.</summary>
    internal ReadOnlySpan<BatchExtent> Batches => _batches.AsSpan(0, BatchCount);

    /// <summary>Takes bytes that someone else encoded and checks all of what a writer relies on.</summary>
    /// <exception cref="BatchRefusedException">The bytes are no batches; the message says where and why.</exception>
    public static EventBlock Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            throw new BatchRefusedException("A batch has at least one event; this one is empty.");
        }

        if (bytes.Length > Limits.MaxBatchBytes)
        {
            throw new BatchRefusedException($"Batches take at most {Limits.MaxBatchBytes} bytes as stored together; these take {bytes.Length}. Split them.");
        }

        var block = new EventBlock(bytes);
        if (block.TryRead(out var reason))
        {
            return block;
        }

        block.Dispose();
        throw new BatchRefusedException(reason!);
    }

    /// <summary>Gives the pooled memory back. The bytes remain their owner's.</summary>
    public void Dispose()
    {
        if (_prints.Length > 0)
        {
            ArrayPool<EventPrint>.Shared.Return(_prints);
            ArrayPool<BatchExtent>.Shared.Return(_batches);
            (_prints, _batches) = ([], []);
            (EventCount, BatchCount) = (0, 0);
        }
    }

    /// <summary>The id of an event, by its number in the block.</summary>
    internal Guid IdOf(int index)
    {
        var rest = Bytes.Span;
        for (; index > 0; index--)
        {
            rest = rest[FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(rest[FrameLayout.Length..]))..];
        }

        return new Guid(rest.Slice(FrameLayout.HeaderBytes + EventBody.Id, 16), bigEndian: true);
    }

    private static T[] Larger<T>(T[] full)
    {
        var larger = ArrayPool<T>.Shared.Rent(2 * full.Length);
        full.CopyTo(larger, 0);
        ArrayPool<T>.Shared.Return(full);
        return larger;
    }

    private bool TryRead(out string? reason)
    {
        var endsBatch = false;
        for (var rest = Bytes.Span; !rest.IsEmpty;)
        {
            if ((UnstampedFrame.WhyNot(rest, out var padded, out endsBatch) ?? UnstampedFrame.WhyChanged(rest[..padded])) is { } why)
            {
                reason = $"Event {EventCount} of the batch, at byte {Bytes.Length - rest.Length}: {why}.";
                return false;
            }

            if (EventCount == _prints.Length)
            {
                _prints = Larger(_prints);
            }

            var frame = rest[..padded];
            _prints[EventCount++] = EventPrint.Of(frame, BinaryPrimitives.ReadUInt64LittleEndian(frame[FrameLayout.EncodedHash..]));
            LargestEventBytes = Math.Max(LargestEventBytes, padded);
            rest = rest[padded..];
            if (endsBatch)
            {
                if (BatchCount == _batches.Length)
                {
                    _batches = Larger(_batches);
                }

                _batches[BatchCount++] = new BatchExtent(Bytes.Length - rest.Length, EventCount);
            }
        }

        reason = endsBatch ? null : $"Event {EventCount - 1} of the batch is the last one, but is not marked as such.";
        return endsBatch;
    }
}

/// <summary>Where a batch ends in its block: the byte and the event behind its last.</summary>
internal readonly record struct BatchExtent(int BytesEnd, int EventsEnd);
