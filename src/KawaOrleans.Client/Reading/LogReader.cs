using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Reads a log from a position on, segment by segment, one block ahead of the caller.</summary>
internal sealed class LogReader(BlockReader blocks, int blockBytes, TimeProvider time)
{
    private const int BlocksAhead = 2;

    /// <summary>How long a segment lets a follower wait for something new before it answers "nothing yet": the most it allows.</summary>
    private static readonly TimeSpan FollowWait = TimeSpan.FromSeconds(2);

    /// <summary>How often a follower looks whether a log without an open segment has got one.</summary>
    private static readonly TimeSpan SegmentPoll = TimeSpan.FromMilliseconds(250);

    public async IAsyncEnumerable<RecordedEvent> ReadAsync(long from, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
    {
        PositionCheck.NotNegative(from);
        var ahead = new ReadAhead<DecodedBlock>(token => BlocksAsync(from, follow, token), BlocksAhead, cancellation);
        await using (ahead.ConfigureAwait(false))
        {
            await foreach (var block in ahead.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                foreach (var e in block.Events)
                {
                    yield return e;
                }

                if (block.Damage is { } damage)
                {
                    throw damage;
                }
            }
        }
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

        var block = DecodedBlock.Of(result, position, position + 1);
        return block.Damage is { } damage ? throw damage : block.Events.FirstOrDefault();
    }

    private async IAsyncEnumerable<DecodedBlock> BlocksAsync(long from, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = new ReadRequest { From = from, MaxBytes = blockBytes, Wait = follow ? FollowWait : TimeSpan.Zero };
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var result = await blocks.TryReadAsync(request, cancellation).ConfigureAwait(false);
            if (result is { Next: var next } && next > request.From)
            {
                var block = DecodedBlock.Of(result, request.From, next);
                yield return block;
                if (block.Damage is not null)
                {
                    yield break;
                }

                request = request with { From = next };
            }

            var caughtUp = result is null || (!result.AtEndOfSegment && result.Next >= result.Committed);
            if (caughtUp && !follow)
            {
                yield break;
            }

            if (result is null)
            {
                await Task.Delay(SegmentPoll, time, cancellation).ConfigureAwait(false);
            }
        }
    }
}
