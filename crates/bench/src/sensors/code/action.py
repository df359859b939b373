def run(**params):
    return params
