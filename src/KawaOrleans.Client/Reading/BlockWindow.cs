using System.Runtime.CompilerServices;

namespace KawaOrleans.Client;

/// <summary>Gives out a stretch of a log block by block, in order, with some blocks asked for ahead of the caller.</summary>
/// <remarks>
/// What is known to be committed is cut by position into requests of about one block (<see cref="Stride"/>), none of which reaches over
/// the end of a segment; <paramref name="blocksAhead"/> of them are under way or waiting at a time, so a slow caller holds that many blocks
/// and the one it looks at, however long the stretch is. What lies behind what is known is asked for when nothing else is under way.
/// </remarks>
internal sealed class BlockWindow(BlockReader blocks, Stretch stretch, int blocksAhead, int blockBytes, TimeProvider time)
{
    /// <summary>How long a segment lets a follower wait for something new before it answers "nothing yet": the most it allows.</summary>
    private static readonly TimeSpan FollowWait = TimeSpan.FromSeconds(2);

    /// <summary>How often a follower looks whether a log without an open segment has got one.</summary>
    private static readonly TimeSpan SegmentPoll = TimeSpan.FromMilliseconds(250);

    private readonly Stride _stride = new(stretch.Filter, blockBytes);
    private readonly LinkedList<Asked> _asked = new();
    private long _next = stretch.From;
    private long _to = stretch.To;

    /// <param name="first">What the caller spent before the first block, which is read within the same; null if nothing.</param>
    /// <param name="cancellation">Ends the sequence.</param>
    public async IAsyncEnumerable<ReadBlock> ReadAsync(Retries.Budget? first, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            while (stretch.Wanted > 0 && (_asked.Count > 0 || _next < _to))
            {
                cancellation.ThrowIfCancellationRequested();
                var turn = Take() ?? Ask(_next, _to, isBeyond: true, first, ended.Token);
                first = null;
                var result = await turn.Answer.ConfigureAwait(false);
                if (result is null || result.Next <= turn.Request.From)
                {
                    if (!stretch.Follow)
                    {
                        yield break;
                    }

                    if (result is null)
                    {
                        await Task.Delay(SegmentPoll, time, cancellation).ConfigureAwait(false);
                    }

                    continue;
                }

                _stride.Learn(turn.Request, result);
                GoOn(turn, result, ended.Token);
                yield return new ReadBlock(result.Events, turn.Request.From, result.Next);
            }
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            while (Take() is { } unread)
            {
                await ((Task)unread.Answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (unread.Answer.IsCompletedSuccessfully)
                {
                    unread.Answer.Result?.Events.Bytes.Dispose();
                }
            }
        }
    }

    /// <summary>Asks for what comes behind an answer before that is given out.</summary>
    private void GoOn(Asked turn, ReadResult result, CancellationToken cancellation)
    {
        if (turn.IsBeyond)
        {
            _next = result.Next;
            var isCaughtUp = !result.AtEndOfSegment && result.Next >= result.Committed;
            _to = isCaughtUp && !stretch.Follow ? Math.Min(_to, _next) : _to;
        }
        else if (result.Next < turn.Request.To)
        {
            _asked.AddFirst(Ask(result.Next, turn.Request.To, isBeyond: false, null, cancellation));
        }

        var known = Math.Min(_to, blocks.KnownEnd);
        while (_next < known && _asked.Count < blocksAhead && MayBeWanted(turn.Request.From))
        {
            var end = Math.Min(known, Math.Min(blocks.SegmentEnd(_next), Ahead(_next, _stride.Positions)));
            _asked.AddLast(Ask(_next, end, isBeyond: false, null, cancellation));
            _next = end;
        }
    }

    /// <summary>False when what is asked for already has as many positions as events are wanted, and all of them are wanted.</summary>
    private bool MayBeWanted(long from) => stretch.Filter is not null || _next - from < stretch.Wanted;

    private Asked Ask(long from, long to, bool isBeyond, Retries.Budget? budget, CancellationToken cancellation)
    {
        var request = new ReadRequest
        {
            From = from,
            To = to,
            Filter = stretch.Filter,
            MaxBytes = blockBytes,
            MaxEvents = (int)Math.Min(stretch.Wanted, int.MaxValue),
            Wait = isBeyond && stretch.Follow ? FollowWait : TimeSpan.Zero,
        };
        var answer = budget is null ? blocks.TryReadAsync(request, cancellation) : blocks.TryReadAsync(request, budget, cancellation);
        return new Asked(request, answer, isBeyond);
    }

    private Asked? Take()
    {
        var turn = _asked.First?.Value;
        if (turn is not null)
        {
            _asked.RemoveFirst();
        }

        return turn;
    }

    private static long Ahead(long position, long by) => by < long.MaxValue - position ? position + by : long.MaxValue;

    /// <param name="Request">What was asked.</param>
    /// <param name="Answer">What comes of it.</param>
    /// <param name="IsBeyond">True when nothing was known to be there.</param>
    private sealed record Asked(ReadRequest Request, Task<ReadResult?> Answer, bool IsBeyond);
}
