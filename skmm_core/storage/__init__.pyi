from .hashing import file_hash as file_hash
from .home_folder import home as home
from .writing import to_json as to_json, write_file as write_file, write_json as write_json, write_text as write_text
