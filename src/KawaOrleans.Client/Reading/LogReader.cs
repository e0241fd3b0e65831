using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads a log from a position on, some blocks ahead of the caller.</summary>
internal sealed class LogReader(BlockReader blocks, int blocksAhead, int blockBytes, TimeProvider time)
{
    public IAsyncEnumerable<ReadBlock> ReadBlocksAsync(long from, bool follow, CancellationToken cancellation) =>
        BlocksAsync(new Stretch { From = from, Follow = follow }, cancellation);

    public IAsyncEnumerable<RecordedEvent> ReadAsync(long from, bool follow, CancellationToken cancellation)
    {
        var stretch = new Stretch { From = from, Follow = follow };
        return new EventSequence(BlocksAsync(stretch, cancellation), stretch);
    }

    public async Task<RecordedEvent?> TryReadAsync(long position, CancellationToken cancellation)
    {
        PositionCheck.NotNegative(position);
        if (position == long.MaxValue)
        {
            return null;
        }

        var request = new ReadRequest { From = position, To = position + 1, MaxEvents = 1 };
        if (await blocks.TryReadAsync(request, cancellation).ConfigureAwait(false) is not { } result)
        {
            return null;
        }

        using var block = result.Events.Bytes;
        var events = result.Events.Read(position, position + 1);
        return events.MoveNext() ? events.Current.ToRecordedEvent() : null;
    }

    private async IAsyncEnumerable<ReadBlock> BlocksAsync(Stretch stretch, [EnumeratorCancellation] CancellationToken cancellation)
    {
        PositionCheck.NotNegative(stretch.From);
        await foreach (var block in new BlockWindow(blocks, stretch, blocksAhead, blockBytes, time).ReadAsync(null, cancellation).ConfigureAwait(false))
        {
            yield return block;
        }
    }
}
