def test_layers():
    assert True
