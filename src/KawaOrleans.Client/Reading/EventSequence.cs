namespace KawaOrleans.Client;

/// <summary>The events of a sequence of blocks as objects. Decodes one when it is asked for, on the caller's thread: an event that is
/// soon forgotten costs the collector nothing, and inside a block no step is asynchronous.</summary>
internal sealed class EventSequence(IAsyncEnumerable<ReadBlock> blocks, Stretch stretch) : IAsyncEnumerable<RecordedEvent>
{
    public IAsyncEnumerator<RecordedEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new Enumerator(blocks.GetAsyncEnumerator(cancellationToken), stretch);

    private sealed class Enumerator(IAsyncEnumerator<ReadBlock> blocks, Stretch stretch) : IAsyncEnumerator<RecordedEvent>
    {
        private readonly EventDecoder _decoder = new();
        private ReadBlock? _block;
        private ReadOnlyMemory<byte> _bytes;
        private FrameCursor _cursor;

        public RecordedEvent Current { get; private set; } = null!;

        public ValueTask<bool> MoveNextAsync()
        {
            try
            {
                return TryTake() ? new(true) : new(NextBlockAsync());
            }
            catch (CorruptBlockException damage)
            {
                return ValueTask.FromException<bool>(damage);
            }
        }

        public ValueTask DisposeAsync()
        {
            LeaveBlock();
            return blocks.DisposeAsync();
        }

        private bool TryTake()
        {
            if (_block is null || stretch.Wanted == 0 || !_cursor.TryRead(_bytes.Span, out var e))
            {
                return false;
            }

            stretch.Wanted--;
            Current = _decoder.Decode(e);
            return true;
        }

        private async Task<bool> NextBlockAsync()
        {
            do
            {
                LeaveBlock();
                if (!await blocks.MoveNextAsync().ConfigureAwait(false))
                {
                    return false;
                }

                _block = blocks.Current;
                _bytes = _block.Bytes;
                _cursor = _block.Begin();
            }
            while (!TryTake());

            return true;
        }

        private void LeaveBlock()
        {
            _block?.Dispose();
            (_block, _bytes, _cursor) = (null, default, default);
        }
    }
}
