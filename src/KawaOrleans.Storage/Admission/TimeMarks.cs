namespace KawaOrleans.Storage.Admission;

/// <summary>The timestamps of consecutive events: one entry for each change, since events written together share theirs.</summary>
internal sealed class TimeMarks
{
    private (long From, long Timestamp)[] _marks = new (long, long)[4];
    private int _first;
    private int _count;

    /// <summary>Says that the events from a position on, which is not below any added before, have this timestamp.</summary>
    public void Add(long from, long timestamp)
    {
        if (_count > 0 && this[_count - 1] is var last && last.Timestamp == timestamp)
        {
            return;
        }

        if (_count == _marks.Length)
        {
            var larger = new (long, long)[2 * _marks.Length];
            for (var i = 0; i < _count; i++)
            {
                larger[i] = this[i];
            }

            (_marks, _first) = (larger, 0);
        }

        _marks[(_first + _count++) & (_marks.Length - 1)] = (from, timestamp);
    }

    /// <summary>Drops what only concerns events below a position.</summary>
    public void ForgetBefore(long position)
    {
        while (_count > 1 && this[1].From <= position)
        {
            _first = (_first + 1) & (_marks.Length - 1);
            _count--;
        }
    }

    /// <summary>Drops what concerns events from a position on.</summary>
    public void ForgetFrom(long position)
    {
        while (_count > 0 && this[_count - 1].From >= position)
        {
            _count--;
        }
    }

    /// <summary>The timestamp of the event at a position that was stamped.</summary>
    public long At(long position)
    {
        var (low, high) = (0, _count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = this[middle].From <= position ? (middle, high) : (low, middle - 1);
        }

        return this[low].Timestamp;
    }

    private (long From, long Timestamp) this[int index] => _marks[(_first + index) & (_marks.Length - 1)];
}
